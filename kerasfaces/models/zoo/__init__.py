"""The architectures: one file each.

`build(config, base_weights, seed)` returns an uncompiled `keras.Model`; `find_weights` and
`width_of` say what the base's weights are.
"""
