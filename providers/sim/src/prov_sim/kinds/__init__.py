"""The kinds of the sim provider."""
