"""One file per annotator; its name is what `--annotators` takes (see `contract`)."""
