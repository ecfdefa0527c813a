"""The kinds of the qemu provider."""
