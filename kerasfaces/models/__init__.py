"""Stage models: images or channels -> one logit per image (positive = fake).

One file in `zoo/` is one model: `build(config)` returns an uncompiled `keras.Model`. What
they share (bases, weights, taps, heads) is here. Only `keras` and `keras.ops` are
used, so the same files run on TensorFlow and on JAX.
"""
