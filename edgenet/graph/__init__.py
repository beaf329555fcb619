"""Passes over a model's graph: one file a pass."""
