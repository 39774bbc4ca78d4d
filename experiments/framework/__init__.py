"""What experiments share: options, trainings, rows, tables, pages."""
