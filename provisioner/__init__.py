"""`prov`: one declarative file to healthy Talos Linux clusters."""

__version__ = "0.1.0"

PROTOCOL = 2
"""Number of the provider protocol this core speaks; the registry refuses providers of another."""
