"""Many images on paper: a few are measured here, the rest is arithmetic with its assumptions.

`workload` holds the arithmetic; `channels` and `training` measure the stages.
"""
