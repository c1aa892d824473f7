"""postgres-exporter."""
