"""A detector and its test images -> what is left of it after each laundering.

`run.launder` decodes every image once, scores all its laundered versions, and measures
each generator under each laundering at each strength, reals laundered alike.
"""
