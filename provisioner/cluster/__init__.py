"""A cluster file, providers and Talos put together into one graph of resources."""
