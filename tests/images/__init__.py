"""Tests of the programs of images that are ours, which are not in Python."""
