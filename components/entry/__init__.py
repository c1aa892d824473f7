"""The entry point: what Traefik lets in, who signs in, and where its certificate comes from."""
