"""The engine: the only place that calls providers. It follows a plan and decides nothing."""
