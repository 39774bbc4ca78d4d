"""Frozen features: computed once per image and base, reused by every run and study.

`engines` runs an extractor as fast as this machine can, `cached` keeps its output in
the cache, `predict` turns images into logits with a finished run.
"""
