"""The baselines: one file each, with `CONFIG`, `fit` and `logits`."""
