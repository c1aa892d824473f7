"""Mirrors components/exporters/kube_state."""
