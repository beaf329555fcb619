"""Damage what edgenet reads from others, structure by structure, and see that only its own errors come out.

    python benchmarks/fuzz.py [SECONDS]      each kind for so long (10); prints runs, accepted, refused, found

Bytes flipped at random rarely get past a digest or a parser. So values are exchanged *inside* valid
documents: a number for a text, a list of a thousand, NaN, a path upwards, a key missing or twice as deep;
digests are made right again, so that what is tried is the reader behind them.
"""

from __future__ import annotations

import copy
import functools
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import edgenet
from edgenet.bundle import Bundle, pack
from edgenet.card import read_card
from edgenet.devices import answers, events
from edgenet.errors import EdgenetError
from edgenet.facts import Facts
from edgenet.library import image_folder
from edgenet.quantize import container
from edgenet.quantize.quantized import Quantized
from edgenet.report import Report
from edgenet.zoo import embedded

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
    """A copy with one to three values exchanged, removed, doubled or nested."""
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


def cases() -> dict[str, tuple[Tree, Try]]:
    """Kind → (a valid document, what reads it)."""
    images = image_folder("signs", "calib")
    made = edgenet.compile(str(embedded()), "local", "tflite", "int8", "int8-minmax", images)
    return {
        "bundle": _bundle(made.bundle),
        "report": _report(made.bundle),
        "quantized": _quantized(made.quantized),
        "card": _card(),
        **_told(),
    }


def _bundle(bundle: Bundle) -> tuple[Tree, Try]:
    table = {
        key: value for key, value in bundle.manifest.to_table().items() if key not in ("files", "schema")
    }

    def read(manifest: Tree) -> object:
        found = Bundle.parse(pack(manifest, bundle.files))
        return found.manifest.task.comparable(found.array("golden/artifact.npy"), "logits"), repr(found)

    return json.loads(json.dumps(table)), read


def _report(bundle: Bundle) -> tuple[Tree, Try]:
    with tempfile.TemporaryDirectory(prefix="edgenet-fuzz-") as folder:
        import os

        os.environ.setdefault("EDGENET_HOME", folder)
        edgenet.deploy(bundle, "local")
        table = edgenet.profile(bundle, "local", "quick").to_table()
    for part in ("latency_ms", "pipeline_ms"):
        table[part]["samples"] = table[part]["samples"][:30]

    def read(values: Tree) -> object:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as stream:
            stream.write(json.dumps(values))
            stream.flush()
            report = Report.load(stream.name)
        return [edgenet.present([report], form) for form in ("html", "md", "csv")], edgenet.compare(
            report, report
        )

    return json.loads(json.dumps(table)), read


def _quantized(made: Quantized | None) -> tuple[Tree, Try]:
    assert made is not None
    proto, facts, files = container.unpack(made.to_bytes(), "fuzz")

    def read(table: Tree) -> object:
        try:
            data = container.pack(proto, table, files)
        except ValueError:
            return None  # NaN and the like cannot be written in the first place
        return repr(Quantized.parse(data, "fuzz"))

    return facts, read


def _card() -> tuple[Tree, Try]:
    import tomllib

    table = tomllib.loads(embedded().with_suffix(".toml").read_text(encoding="utf-8"))

    def read(values: Tree) -> object:
        with tempfile.NamedTemporaryFile("w", suffix=".toml", errors="surrogatepass") as stream:
            stream.write(_toml(values))
            stream.flush()
            return read_card(Path(stream.name))

    return table, read


def _toml(values: Tree) -> str:
    """TOML of a table, loosely: what cannot be written in it becomes text that is none."""
    if not isinstance(values, dict):
        return json.dumps(values)
    plain = [
        f"{key or 'k'} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)
    ]
    inner = [f"[{key or 'k'}]\n{_toml(value)}" for key, value in values.items() if isinstance(value, dict)]
    return "\n".join([*plain, *inner])


def _told() -> dict[str, tuple[Tree, Try]]:
    """What an agent answers and tells."""
    whole = {
        "replay": ({"dtype": "int8", "outputs": 5, "pixels": ["a" * 64]}, answers.Replay),
        "have": ({"missing": [["a" * 64, 3]], "free": 9, "removed": ["x"]}, answers.Have),
        "deployments": ({"current": "a" * 64, "deployments": [{"digest": "a" * 64, "name": "n"}],
                         "history": [{"digest": "a" * 64, "at": 1.0}]}, answers.Deployments),
        "loaded": ({"runtime_version": "1", "memory_mb": {"load": 1.0}, "described": {"input": {}}},
                   answers.Loaded),
        "tick": ({"state": {"fps": {"camera": 1.0}, "models": []}, "answers": []}, events.DemoTick),
        "facts": ({"cores": 4, "machine": "aarch64", "isa": ["neon"], "runtimes": {"tflite": "2"}}, Facts),
    }  # fmt: skip
    return {name: (tree, functools.partial(_from_table, kind, name)) for name, (tree, kind) in whole.items()}


def _from_table(kind: Any, name: str, table: Tree) -> object:
    return kind.from_table(table, name)


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
