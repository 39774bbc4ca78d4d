"""Images -> forensic channels -> a store of arrays; torch lives only here.

A channel is one module of `kinds`: `build(options)` returns a `Channel` (`contract`).
Masks are modules of `masks`. `config` names channels, mask and options, `recipe` says what
decides the bytes, `worker` turns a few images into arrays, `chunks` many of them by any
engine, and `run` writes the store that everything from `dataset` on reads.
"""
