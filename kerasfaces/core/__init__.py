"""What every stage stands on: errors, configuration, files, progress, processes."""
