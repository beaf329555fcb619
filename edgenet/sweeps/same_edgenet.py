"""Whether another process's edgenet gives the same results as this one's."""

from __future__ import annotations

from collections.abc import Mapping

from edgenet.cache import made_by

__all__ = ["different"]

WORDS = {
    "edgenet": "has edgenet {there}, and here it is {here}",
    "sources": "has another edgenet of the same version {version}: its files differ",
    "machine": "runs on {there}, and here it is {here}: their last bits differ",
}
OTHER = "has {name} {there}, and here it is {here}"


def different(who: str, there: Mapping[str, str]) -> tuple[str, str]:
    """In what a process differs from this one, and what to do; empty texts where in nothing.

    Args:
        who: The process.
        there: What :func:`edgenet.cache.made_by` says there.
    """
    here = made_by()
    name = next((name for name in (*WORDS, *here) if there.get(name) != here.get(name)), None)
    if name is None:
        return "", ""
    told = WORDS.get(name, OTHER).format(
        name=name, there=there.get(name) or "none", here=here.get(name), version=here["edgenet"]
    )
    same = (
        "use workers of one kind of machine"
        if name == "machine"
        else f"install the same {_thing(name)} there"
    )
    return f"{who} {told}", same


def _thing(name: str) -> str:
    return "edgenet" if name in WORDS else name
