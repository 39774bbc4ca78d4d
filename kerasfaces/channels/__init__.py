"""Images -> forensic channels -> a store of arrays; torch lives only here.

A channel is one module of this package: `build(options)` returns a `Channel`
(`parts/contract.py`). Masks are modules of `masks`; `stage` runs channels over a
manifest and writes the store that everything from `dataset` on reads.
"""
