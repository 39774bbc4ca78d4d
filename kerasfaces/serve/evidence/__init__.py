"""Kinds of evidence that a file holds of its own origin: one file each.

A kind defines `TITLE` and `read(file) -> list[Evidence]`; `serve.provenance` asks each.
"""
