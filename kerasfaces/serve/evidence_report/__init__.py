"""One answer as a page to file (`page`), with its map and its nearest training images."""
