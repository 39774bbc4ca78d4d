"""Stage attribute: a finished detector's features -> which generator made an image.

A second head on the frozen base: one class per generator, `real`, and `unknown` for images
that look like none of them.
"""
