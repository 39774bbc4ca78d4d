"""The architectures, one file each: `ARCHITECTURE`, or `of_preset` where presets name them."""
