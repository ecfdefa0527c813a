"""The planner: values in, a `Plan` out. Nothing here touches the world."""
