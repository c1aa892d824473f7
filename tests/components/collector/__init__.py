"""Mirrors components/collector."""
