"""The report's sections: one file each, listed by `registry.names`, sorted by `ORDER`.

A section module has `ORDER` (its place on the page) and `report(data) -> Section`.
"""
