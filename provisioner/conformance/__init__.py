"""The conformance kit: the rules of the house as tests that providers and stores inherit."""
