"""What edgenet reads from others, each as a valid document and what reads it: for fuzz.py."""

from __future__ import annotations

import functools
import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from fuzz_keras import keras_cases
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

import edgenet
from edgenet.arrays import array_bytes
from edgenet.bundle import Bundle, pack
from edgenet.card import read_card
from edgenet.devices import answers, events
from edgenet.facts import Facts
from edgenet.imageset import ImageSet
from edgenet.importers import tflite
from edgenet.library import image_folder
from edgenet.quantize import container
from edgenet.quantize.quantized import Quantized
from edgenet.report import Report
from edgenet.verify.expected import encoder_for, from_golden, true_of, truth
from edgenet.verify.host import run_bundle
from edgenet.zoo import embedded

BACKENDS = ("tflite", "onnxruntime")
SENSORS = {"temperature_c": 40.0, "throttled": 0, "clocks_mhz": [1500.0], "governor": "performance"}
BENCH = {
    "runs": {"model": 3, "pipeline": 2}, "memory_mb": {"peak": 3.5, "load": None},
    "sensors": {"before": SENSORS, "after": SENSORS, "during": [SENSORS]},
    "warmup": {"model": {"seconds": 1.0, "runs": 3, "steady": True}}, "parts_ms": {"decode": 0.5},
    "parts_absent": {"fit": "why"},
    "stride": {"model": 1}, "layers": [{"name": "a", "op": "CONV", "ms": 0.5}], "label": "cat",
    "profiled_ms": 1.0, "roof": {"copy_gb_s": 1.0, "sgemm_gmac_s": 2.0},
}  # fmt: skip
Tree = Any
Try = Callable[[Tree], object]


def cases() -> dict[str, tuple[Tree, Try]]:
    """Kind → (a valid document, what reads it)."""
    images = image_folder("signs", "calib")
    made = edgenet.compile(str(embedded()), "local", "tflite", "int8", "int8-minmax", images)
    return {
        "bundle": _bundle(made.bundle),
        "contents": _contents(made.bundle),
        "archive": (made.data, Bundle.parse),
        "onnx": _onnx(made.quantized),
        "report": _report(made.bundle),
        "quantized": _quantized(made.quantized),
        "graph": _graph(made.quantized),
        "model": _model(),
        "tflite": _tflite(),
        "card": _card(),
        **keras_cases(),
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


def _contents(bundle: Bundle) -> tuple[Tree, Try]:
    """Files within a bundle whose digests are right: arrays of other shapes, types and values."""
    about = {
        key: value for key, value in bundle.manifest.to_table().items() if key not in ("files", "schema")
    }
    arrays = [name for name in bundle.files if name.endswith(".npy")]
    images = ImageSet.load(image_folder("signs", "val")).head(2)

    def read(tree: Tree) -> object:
        files = {**bundle.files}
        for name in arrays:
            files[name] = _array(bundle.array(name), tree.get(name))
        found = Bundle.parse(pack(about, files))
        from_golden(found, encoder_for(("ppm", "jpeg", "png"), found.manifest.preprocessing))
        truth(found, images, cache=False)
        run_bundle(found, (pixels[0] for pixels in images.all_pixels(found.manifest.preprocessing)))
        return true_of(found, images)

    return {name: {"shape": list(bundle.array(name).shape), "dtype": "", "fill": 0} for name in arrays}, read


def _array(values: Any, change: Tree) -> bytes:
    """An array of another shape, type or value, as far as there can be one."""
    if not isinstance(change, dict):
        return str(change).encode("utf-8", "replace")
    fill, dtype = change.get("fill"), change.get("dtype")
    try:
        shape = tuple(change.get("shape") or ())
        if not 0 <= math.prod(shape) <= 1_000_000:
            return b""
        with np.errstate(all="ignore"):
            made = np.resize(values.astype(dtype) if dtype else values, shape)
            return array_bytes(made if fill == 0 else np.full_like(made, fill))
    except (TypeError, ValueError, OverflowError, MemoryError):
        return repr(change).encode("utf-8", "replace")


def _onnx(made: Quantized | None) -> tuple[Tree, Try]:
    """The bytes of an .int8.onnx."""
    assert made is not None
    return made.to_bytes(), lambda data: Quantized.parse(data, "fuzz")


def _graph(made: Quantized | None) -> tuple[Tree, Try]:
    """The graph of an .int8.onnx, whose digest is right."""
    assert made is not None
    proto, facts, files = container.unpack(made.to_bytes(), "fuzz")
    images = image_folder("signs", "calib")

    def read(tree: Tree) -> object:
        if (changed := _proto(tree)) is None:
            return None
        told = {key: value for key, value in facts.items() if key not in ("graph", "schema", "files")}
        found = Quantized.parse(container.pack(changed, told, files), "fuzz")
        return [edgenet.compile(found, "local", backend, "int8", None, images) for backend in BACKENDS]

    return MessageToDict(proto, preserving_proto_field_name=True), read


def _model() -> tuple[Tree, Try]:
    """The float graph that a user gives."""
    card = embedded().with_suffix(".toml").read_bytes()

    def read(tree: Tree) -> object:
        if (changed := _proto(tree)) is None:
            return None
        with tempfile.TemporaryDirectory(prefix="edgenet-fuzz-") as folder:
            path = Path(folder) / "m.onnx"
            path.write_bytes(changed.SerializeToString())
            path.with_suffix(".toml").write_bytes(card)
            return [edgenet.compile(path, "local", backend, "fp32", cache=False) for backend in BACKENDS]

    return MessageToDict(onnx.load(embedded()), preserving_proto_field_name=True), read


def _tflite() -> tuple[Tree, Try]:
    """The embedded model as a .tflite file that somebody gives."""
    made = edgenet.compile(str(embedded()), "local", "tflite", "fp32", cache=False).bundle

    def read(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="edgenet-fuzz-") as folder:
            path = Path(folder) / "m.tflite"
            path.write_bytes(data)
            return tflite.read(path, (32, 32))

    return made.artifact, read


def _proto(tree: Tree) -> onnx.ModelProto | None:
    """The graph of a document; ``None`` where protobuf itself cannot write it."""
    try:
        proto = onnx.ModelProto()
        ParseDict(tree, proto, max_recursion_depth=60)
        return proto
    except (ParseError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, SystemError):
        return None


def _report(bundle: Bundle) -> tuple[Tree, Try]:
    with tempfile.TemporaryDirectory(prefix="edgenet-fuzz-") as folder:
        import os

        os.environ.setdefault("EDGENET_HOME", folder)
        edgenet.deploy(bundle, "local")
        table = edgenet.profile(bundle, "local", "quick", frame="64x48").to_table()
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
        "bench": (BENCH, answers.Bench),
        "turns": ({"rounds": 3, "parts_ms": [{"decode": 0.5, "fit": 1.0}, {"fit": 1.0}]}, answers.Turns),
        "trial": ({"works": False, "version": "", "why": "no", "signal": "SIGILL"}, answers.Trial),
        "finish": ({"finished": {"cached": False, "seconds": 2.5, "size": 9, "tensorrt": "10.3",
                                 "gpu": "Orin", "sm": "8.7"}, "removed": ["x"]}, answers.Finish),
        "tap": ({"dtype": "int8", "shape": [1, 2], "scale": 0.5, "zero_point": 0}, answers.Tap),
        "progress": ({"event": "progress", "stage": "s", "done": 1, "of": 2, "runs": 3, "seconds": 0.5,
                      "of_seconds": 2.0}, events.ProgressEvent),
        "ready": ({"source": {"name": "s"}, "models": [{"name": "m"}], "port": 8080, "token": "t" * 32,
                   "key": "k" * 32}, events.DemoReady),
        "picture": ({"name": "snapshot-1.jpg", "frame": 1, "answers": []}, events.DemoPicture),
        "tick": ({"state": {"fps": {"camera": 1.0}, "models": []}, "answers": []}, events.DemoTick),
        "facts": ({"cores": 4, "machine": "aarch64", "isa": ["neon"], "runtimes": {"tflite": "2"}}, Facts),
    }  # fmt: skip
    return {name: (tree, functools.partial(_from_table, kind, name)) for name, (tree, kind) in whole.items()}


def _from_table(kind: Any, name: str, table: Tree) -> object:
    return kind.from_table(table, name)
