"""Puts a stack together: settings and system are loaded, components planned, resources registered."""
