"""Mirrors components/promtail."""
