"""The commands behind the Makefile: bring a stack up, look at it, take it down, and recover what was interrupted."""
