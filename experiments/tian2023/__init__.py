"""tian2023's document: see README.md beside this file."""
