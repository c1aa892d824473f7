"""Exporters: each turns the state of something else into metrics."""
