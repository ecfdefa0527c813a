"""Disk images: fetched once, checked, kept."""
