"""What looks wrong with a cluster although it can be made: rules with reasons."""
