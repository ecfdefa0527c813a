"""The kinds of Talos: what prov makes, changes and removes inside machines."""
