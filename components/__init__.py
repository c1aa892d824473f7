"""One file or folder for each component: settings, documents, telemetry, workloads; see `stack.registry`."""
