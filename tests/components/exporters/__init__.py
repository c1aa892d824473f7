"""Mirrors components/exporters."""
