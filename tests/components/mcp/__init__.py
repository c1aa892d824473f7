"""Mirrors components/mcp."""
