"""wan2023: noise pattern, spectra, channel attention and light classifiers."""
