"""Images -> forensic channels -> a store of arrays; torch lives only here.

A channel is one module of `kinds`: `build(options)` returns a `Channel` (`contract`).
Masks are modules of `masks`. `config` says what is made, `recipe` what decides the bytes,
`worker` turns a few images into arrays, `run` plans the shards and writes the store that
everything from `dataset` on reads.
"""
