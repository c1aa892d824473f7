"""The stack on real engines. Slow by nature: run with `make e2e`."""
