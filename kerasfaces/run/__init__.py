"""Run folders: what training writes and every later stage reads."""
