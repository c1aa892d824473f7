"""The OpenTelemetry Collector as the agent that reads log lines."""
