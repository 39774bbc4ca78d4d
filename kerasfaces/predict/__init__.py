"""Command `predict`: images -> verdicts of a finished run; see `kerasfaces.serve`."""
