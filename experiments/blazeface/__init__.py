"""Make the face detector's weights that kerasfaces ships."""
