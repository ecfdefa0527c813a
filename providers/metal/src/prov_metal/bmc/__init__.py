"""Talking to management controllers."""
