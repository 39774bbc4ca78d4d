"""What the methods and the command share."""
