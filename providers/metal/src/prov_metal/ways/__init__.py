"""The ways by which a host comes to boot an image that is not on its disk."""
