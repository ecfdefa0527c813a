"""The typed documents that a generated configuration has beside its root."""
