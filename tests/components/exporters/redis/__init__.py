"""Mirrors components/exporters/redis."""
