"""Mirrors components/exporters/containers."""
