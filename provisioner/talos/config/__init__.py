"""Machine configuration: generated, patched, written as text, read back."""
