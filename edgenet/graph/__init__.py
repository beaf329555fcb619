"""Passes over a model's graph: one file a pass.

A pass takes a :class:`~edgenet.graph.graph.Graph`, rewrites it in place and returns how many things it
changed; one that found out what its caller needs returns a dataclass. What only looks at a graph never
changes it.
"""
