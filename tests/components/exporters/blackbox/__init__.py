"""Mirrors components/exporters/blackbox."""
