"""Backs up the data of one workload of a monitoring stack, encrypted and incremental, and restores it."""

VERSION = "0.1.0"
