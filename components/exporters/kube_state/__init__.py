"""kube-state-metrics."""
