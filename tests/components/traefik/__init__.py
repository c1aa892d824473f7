"""Mirrors components/traefik."""
