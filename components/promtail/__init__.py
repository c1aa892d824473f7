"""Promtail."""
