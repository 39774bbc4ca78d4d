"""Stage train: manifest -> run folder with a detector, its predictions and its report."""
