"""Damage what edgenet reads from others, structure by structure, and see that only its own errors come out.

    python benchmarks/fuzz.py [SECONDS]      each kind for so long (10); prints runs, accepted, refused, found

Bytes flipped at random rarely get past a digest or a parser. So values are exchanged *inside* valid
documents (fuzz_cases.py): a number for a text, a list of a thousand, NaN, a path upwards, a key missing or
twice as deep; digests are made right again, so that what is tried is the reader behind them.
"""

from __future__ import annotations

import copy
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from edgenet.errors import EdgenetError

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**63, 10**400, 1e400, -1e400, float("nan"), 1e-320, 0.5, "", "x", "../x",
    "/etc/passwd", "\x00", "\x1b]0;x\x07", "\ud800", "é" * 70000, "\u202e", "a" * 64, [], [[]], {},
    {"": None}, [None] * 1000, [[1] * 30] * 30,
)  # fmt: skip
Tree = Any
Try = Callable[[Tree], object]


def places(tree: Tree) -> list[tuple[Any, Any]]:
    """Every (table or list, key) in a document."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            waiting.append(node[key])
    return found


def damaged(tree: Tree, chance: random.Random) -> Tree:
    """A copy with one to three values exchanged, removed, doubled or nested; of bytes, some of them."""
    if isinstance(tree, bytes):
        return _damaged_bytes(tree, chance)
    made = copy.deepcopy(tree)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        listed = places(made)
        if not listed:
            return made
        node, key = chance.choice(listed)
        kind = chance.randrange(6)
        if kind == 0 and isinstance(node, dict):
            del node[key]
        elif kind == 1:
            other, at = chance.choice(listed)
            node[key] = copy.deepcopy(other[at])
        elif kind == 2:
            deep: Any = node[key]
            for _ in range(chance.choice((1, 3, 40))):
                deep = [deep]
            node[key] = deep
        elif kind == 3 and isinstance(node[key], list):
            node[key] = node[key] * chance.choice((0, 2, 50))
        else:
            node[key] = copy.deepcopy(chance.choice(ODD))
    return made


def _damaged_bytes(data: bytes, chance: random.Random) -> bytes:
    """Bits turned, a piece cut out or put in twice; often near the end, where an archive's directory is."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(made)) if chance.random() < 0.5 else len(made) - 1 - chance.randrange(400)
        kind, size = chance.randrange(4), chance.choice((1, 4, 30, 1000))
        if kind == 0:
            del made[at : at + size]
        elif kind == 1:
            made[at:at] = made[at : at + size]
        else:
            made[at] = chance.choice((made[at] ^ 1 << chance.randrange(8), 0, 255))
    return bytes(made)


def run(tree: Tree, read: Try, chance: random.Random, seconds: float, most: int = 10**9) -> dict[str, Any]:
    """Damage and read for so long, or so often; counts, and every error that is none of edgenet's."""
    read(copy.deepcopy(tree))
    counts: dict[str, Any] = {"runs": 0, "accepted": 0, "refused": 0, "found": []}
    end = time.monotonic() + seconds
    while time.monotonic() < end and counts["runs"] < most:
        document = damaged(tree, chance)
        counts["runs"] += 1
        try:
            read(document)
            counts["accepted"] += 1
        except EdgenetError as error:
            counts["refused"] += 1
            if "\n" in str(error) or len(str(error)) > 3200:
                counts["found"].append(("not one line", repr(error)[:300]))
        except Exception as error:  # what this program is for
            counts["found"].append((type(error).__name__, str(error)[:300]))
    return counts


def main() -> int:
    """Every kind in turn."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    bad = 0
    from fuzz_cases import cases

    for name, (tree, read) in cases().items():
        counts = run(tree, read, random.Random(24), seconds)
        kinds = sorted(set(counts["found"]))
        runs, accepted, refused = (counts[key] for key in ("runs", "accepted", "refused"))
        print(
            f"{name:12} {runs:7} runs {accepted:7} accepted {refused:7} refused, found {len(kinds)}",
            flush=True,
        )
        for kind, text in kinds[:10]:
            print(f"    {kind}: {text}")
        bad += len(kinds)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
