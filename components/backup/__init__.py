"""Backups of the stack's own data."""
