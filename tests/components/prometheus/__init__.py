"""Mirrors components/prometheus."""
