"""kabber2023's two detectors, its tables 5-9 and ours beside them."""
