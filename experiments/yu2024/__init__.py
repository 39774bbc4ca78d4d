"""yu2024's document: see README.md beside this file."""
