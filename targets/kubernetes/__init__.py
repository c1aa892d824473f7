"""Kubernetes: `manifests` and what it is made of say as plain data what a cluster is asked for, `register` asks it."""
