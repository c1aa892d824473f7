"""Mirrors components/exporters/postgres."""
