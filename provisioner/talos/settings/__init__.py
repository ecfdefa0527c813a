"""What a cluster file says about its machines: the form it has, and the configuration it becomes."""
