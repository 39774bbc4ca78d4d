"""What a detector does on a family of generators that it has never seen."""
