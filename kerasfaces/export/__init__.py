"""Command `export`: a run -> files of other runtimes; see `kerasfaces.serve`."""
