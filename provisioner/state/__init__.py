"""The state: what is on record, sealed where it is secret, written entry by entry."""
