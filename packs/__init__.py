"""What a kind of service brings with it, and what a system contributes by its services."""
