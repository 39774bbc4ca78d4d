"""What `make bench` runs: each a ratio measured in one run."""
