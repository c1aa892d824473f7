"""What differs between two renderings of a stack, as plain values, and as text for people."""
