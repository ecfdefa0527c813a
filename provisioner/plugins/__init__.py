"""Providers, found by entry point and loaded when first asked for."""
