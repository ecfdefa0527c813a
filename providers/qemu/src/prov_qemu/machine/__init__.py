"""What makes up a virtual machine: its command, its firmware, its medium with the configuration."""
