"""One file per component: what it needs to know, its documents, its telemetry, its workload, its Pulumi resource."""
