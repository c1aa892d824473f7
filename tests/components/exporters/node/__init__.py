"""Mirrors components/exporters/node."""
