"""Command `ensemble`; the work is in `kerasfaces.compare.ensemble`."""
