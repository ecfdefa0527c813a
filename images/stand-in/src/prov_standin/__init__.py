"""What runs in the stand-in image: everything from the first process to a simulated machine on a real disk."""
