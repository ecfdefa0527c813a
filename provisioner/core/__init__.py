"""The built-in provider `core`: objects that live in the state and nowhere else."""
