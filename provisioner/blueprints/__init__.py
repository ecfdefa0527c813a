"""Shipped plans: cluster files to start from."""
