"""Mirrors components/otel."""
