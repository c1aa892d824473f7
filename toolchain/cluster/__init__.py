"""A real cluster of one node for tests and trials, from the programs and images that the toolchain builds."""
