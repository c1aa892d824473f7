"""What needs a real cluster. Not part of `make test`: run `make test-cluster`."""
