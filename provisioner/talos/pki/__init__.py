"""A cluster's secrets: keys, authorities, client certificates."""
