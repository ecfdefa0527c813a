"""The networks of clusters: frames between machines, addresses, configurations on request."""
