"""What the stack would put into its own Prometheus' and Alertmanager's documents, as objects that an operator reads."""
