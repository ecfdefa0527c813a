"""Whether a cluster is well."""
