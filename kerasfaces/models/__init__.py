"""Stage models: images or channels -> one logit per image (positive = fake).

One file here is one model: `build(config)` returns an uncompiled `keras.Model`. Shared
pieces (bases, weights, taps, heads) are in `parts`. Only `keras` and `keras.ops` are
used, so the same files run on TensorFlow and on JAX.
"""
