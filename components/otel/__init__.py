"""The OpenTelemetry gateway."""
