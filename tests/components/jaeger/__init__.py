"""Mirrors components/jaeger."""
