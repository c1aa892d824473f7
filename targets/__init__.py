"""Platforms that workloads are handed to. Each module is the only importer of its provider."""
