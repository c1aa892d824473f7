"""Alerts and panels about containers, for whoever measures them."""
