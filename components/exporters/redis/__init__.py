"""redis-exporter."""
