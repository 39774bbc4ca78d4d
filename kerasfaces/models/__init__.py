"""Stage models: images or channels -> one logit per image (positive = fake).

`catalogue` knows the names, `architecture` what each of them is: one file in `zoo/`, or a
preset of one. What they share (weights, taps, heads, layers) is here. Only `keras` and
`keras.ops` are used, so the same files run on TensorFlow and on JAX.
"""
