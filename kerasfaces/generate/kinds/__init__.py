"""Kinds of generators, one file each: see `contract`."""
