"""blackbox-exporter."""
