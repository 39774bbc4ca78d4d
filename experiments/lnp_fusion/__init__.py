"""Ours: pixels and noise pattern through the same frozen base."""
