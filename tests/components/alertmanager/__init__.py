"""Mirrors components/alertmanager."""
