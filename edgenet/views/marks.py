"""Which mark a precision has, in every drawing of builds."""

from __future__ import annotations

__all__ = ["SHAPES", "precision_order", "shape_of"]

# Marks that are told apart without their color; what comes after the last is a cross.
SHAPES = ("circle", "square", "diamond", "triangle")
PRECISIONS = ("fp32", "fp16", "int8", "int8-dynamic")


def shape_of(precision: str) -> str:
    """The shape of a precision's mark."""
    return dict(zip(PRECISIONS, SHAPES, strict=True)).get(precision, "cross")


def precision_order(precision: str) -> tuple[int, str]:
    """A key that sorts precisions as they are listed."""
    return (PRECISIONS.index(precision) if precision in PRECISIONS else len(PRECISIONS)), precision
