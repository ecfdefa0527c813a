"""The active side of Talos: asking machines over their API."""
