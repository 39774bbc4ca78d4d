"""What our annotators say of faces against what the faces' sources state."""
