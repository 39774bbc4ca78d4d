"""Stage baselines: pixels -> one logit per image, without a neural network.

One file in `zoo/` is one baseline: `CONFIG`, its configuration class, `fit(config, read,
labels)`, which returns its arrays, and `logits(config, arrays, read)`. Arrays are kept in
an .npz without pickle, so loading one never runs code. `Detector(NAME).fit(data)`
makes the same run folder as a model does.
"""

ZOO = "kerasfaces.baselines.zoo"
