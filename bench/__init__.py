"""Measures the program, each figure beside a peer or a limit of the same run."""
