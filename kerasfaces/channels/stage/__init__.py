"""Images + a configuration -> the channel store: plan, compute, write, verify, repair.

`config` says what is made, `recipe` what decides the bytes, `worker` turns a few images
into arrays, `run` plans the shards and writes them, engines (`local`, `ray_engine`)
decide where workers run.
"""
