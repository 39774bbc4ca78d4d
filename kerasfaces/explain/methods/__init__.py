"""The ways to explain: one file each, with `UNITS`, `REDRAWS`, `check` and `explain`."""
