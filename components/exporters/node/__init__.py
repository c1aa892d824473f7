"""node-exporter."""
