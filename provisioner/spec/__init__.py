"""The cluster file: from text to a typed `ClusterSpec`, with every problem found at once."""
