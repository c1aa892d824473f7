"""Mirrors components/loki."""
