"""Sweeps of several runs → one, with their boards side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from edgenet.errors import ReportError
from edgenet.swept import Sweep

__all__ = ["join_sweeps"]

REMEDY = "sweep both in the same way, or give one at a time"


def join_sweeps(sweeps: Sequence[Sweep]) -> Sweep:
    """One sweep with the boards of all; a board's name that two of them have gets a number.

    Args:
        sweeps: At least one.

    Raises:
        ReportError: They were not asked the same, so that their cells cannot be compared.
    """
    if len(sweeps) == 1:
        return sweeps[0]
    _same("measure", [item.measure for item in sweeps])
    _same("line", [f"{item.fps_line:g} FPS" for item in sweeps])
    _same("frame", [item.frame for item in sweeps])
    _same("accuracy", [kind for item in sweeps for kind in _kinds(item)])
    named = [_renamed(item, names) for item, names in zip(sweeps, _names(sweeps), strict=True)]
    first = named[0]
    return first.changed(
        plan=first.plan if all(item.plan == first.plan for item in named) else _plans(named),
        boards={device: facts for item in named for device, facts in item.boards.items()},
        cells=tuple(cell for item in named for cell in item.cells),
        answers=tuple(answer for item in named for answer in item.answers),
        saved=tuple(saved for item in named for saved in item.saved),
        notes=tuple(dict.fromkeys([*_unlike(named), *(note for item in named for note in item.notes)])),
        tool=", ".join(dict.fromkeys(item.tool for item in named if item.tool)) or None,
    )


def _same(what: str, told: Sequence[str]) -> None:
    found = list(dict.fromkeys(told))
    if len(found) > 1:
        raise ReportError(
            f"the sweeps cannot be shown together: their {what} is {' and '.join(found)}", REMEDY
        )


def _kinds(sweep: Sweep) -> list[str]:
    """Whether its accuracies are measured or published: the two are never mixed."""
    return sorted({cell.top1.kind for cell in sweep.cells if cell.top1})


def _unlike(sweeps: Sequence[Sweep]) -> list[str]:
    """Why their accuracies may not be compared although they are of one kind."""
    counts = {cell.top1.images for item in sweeps for cell in item.cells if cell.top1 and cell.top1.images}
    told = " and ".join(f"{count:,}" for count in sorted(counts))
    return [f"The accuracies were not measured on the same images: {told}."] if len(counts) > 1 else []


def _devices(sweep: Sweep) -> list[str]:
    answered, tried = (item.device for item in sweep.answers), (item.device for item in sweep.cells)
    return list(dict.fromkeys([*sweep.boards, *answered, *tried]))


def _names(sweeps: Sequence[Sweep]) -> list[dict[str, str]]:
    """Of each sweep its boards' names and those they have beside the others."""
    count = Counter(device for item in sweeps for device in _devices(item))
    return [
        {device: f"{device} #{number}" if count[device] > 1 else device for device in _devices(item)}
        for number, item in enumerate(sweeps, 1)
    ]


def _renamed(sweep: Sweep, names: dict[str, str]) -> Sweep:
    def own(items: Sequence[Any], **changes: Any) -> tuple[Any, ...]:
        return tuple(item.changed(device=names.get(item.device, item.device), **changes) for item in items)

    # Files beside one sweep do not lie beside the joined one.
    cells = own(sweep.cells, report=None, bundle=None)
    boards = {names.get(device, device): facts for device, facts in sweep.boards.items()}
    return sweep.changed(boards=boards, cells=cells, answers=own(sweep.answers), saved=own(sweep.saved))


def _plans(sweeps: Sequence[Sweep]) -> dict[str, Any]:
    return {"name": "side by side"} | {f"plan {number}": item.plan for number, item in enumerate(sweeps, 1)}
