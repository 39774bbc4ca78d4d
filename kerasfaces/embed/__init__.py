"""A run and images -> a map of where they lie to the detector: who is near whom.

`run.embed` computes a layer, projects it to two dimensions, clusters the map, measures how
far the map can be trusted, and writes one page, pictures and a table.
"""
