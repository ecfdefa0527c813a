"""What the provider makes of hosts."""
