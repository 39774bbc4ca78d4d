"""A finished run at work: scores of new images, and files that other runtimes read.

The commands are `kerasfaces predict` and `kerasfaces export`.
"""
