"""The kinds of AWS."""
