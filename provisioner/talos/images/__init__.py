"""Talos images: which one a node boots or installs."""
