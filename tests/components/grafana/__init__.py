"""Mirrors components/grafana."""
