"""The former place of :mod:`edgenet.backend`, for the steps that still import it from here."""

from edgenet.backend import Artifact, Backend, load_backend

__all__ = ["Artifact", "Backend", "load_backend"]
