"""Channels, one file each: `build(options)` returns a `Channel`."""
