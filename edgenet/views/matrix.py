"""A confusion matrix as a table of counts, colored by how often a class is taken for another."""

from __future__ import annotations

from edgenet.confusion_matrix import ConfusionMatrix
from edgenet.views.parts import Matrix, Square

__all__ = ["matrix"]

# Classes that fit the width of a phone with readable counts.
LARGEST = 12


def matrix(counts: ConfusionMatrix | None) -> Matrix | None:
    """What is drawn, or ``None`` where there are no or too many classes."""
    if counts is None or not 0 < len(counts.names) <= LARGEST:
        return None
    names = [(chr(ord("A") + at), name) for at, name in enumerate(counts.names)]
    rows = [_row(counts, at) for at in range(len(names))]
    return Matrix(names, rows)


def _row(counts: ConfusionMatrix, at: int) -> list[Square]:
    board, reference = counts.board[at], counts.reference[at]
    total = sum(board)
    found = []
    for column, (count, theirs) in enumerate(zip(board, reference, strict=True)):
        said = f"{counts.names[at]}: {count} of {total} answered {counts.names[column]}, in float {theirs}"
        strength = round(100 * count / total) if total else 0
        kind = "right" if column == at else "wrong"
        change = f"{count - theirs:+d}".replace("-", "−") if count != theirs else ""
        found.append(Square(str(count) if count or change else "", change, kind, strength, said))
    return found
