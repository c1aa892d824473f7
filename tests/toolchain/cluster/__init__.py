"""Tests of the cluster from packages; none of them starts one."""
