"""Our best frozen-base configuration against kabber2023's head on the same splits."""
