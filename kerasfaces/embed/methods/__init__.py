"""Projections to two dimensions: one file per method.

Each has `PER_SOURCE`, how many images of a source it takes by default (None: all), and
`project(vectors, seed)`: `(n, d)` float32, n at least `vectors.LEAST`, -> `(n, 2)` float64.
"""
