"""Gets every tool and image onto a machine: from PATH, else by download, else built from package registries."""
