"""The MCP server of a monitoring stack: tools that ask Prometheus, Loki and Jaeger, and change nothing."""

VERSION = "0.1.0"
