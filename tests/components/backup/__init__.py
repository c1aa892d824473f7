"""Mirrors components/backup."""
