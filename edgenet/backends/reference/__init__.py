"""The former place of :mod:`edgenet.graph.reference`, for the steps that still import it from here."""

from edgenet.graph.reference import Reference

__all__ = ["Reference"]
