"""kabber2023's two detectors, its tables 2 to 9 and ours beside them."""
