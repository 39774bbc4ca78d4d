"""Our random search over frozen bases with a budget, against the main job's default."""
