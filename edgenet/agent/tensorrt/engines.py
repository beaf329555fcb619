"""Engines on the board: found under a key of all that they depend on, or built, with the reason."""

import hashlib
import json
import os
import shutil
import time

from ..failure import Failure, from_os_error
from ..store.engines import others, remove
from ..store.home import file_digest, read_json, write_atomic
from .build import build

# What the builder needs beside its scratch space, bytes: libraries and context, and a multiple of the graph.
LIBRARIES = 350 << 20
TIMES_GRAPH = 8
LEAST_WORKSPACE, MOST_WORKSPACE = 32 << 20, 1 << 30
# How a difference is told.
TITLES = {"tensorrt": "TensorRT", "gpu": "the GPU", "sm": "its compute capability", "driver": "the driver"}


def finish(trt, dialect, gpu, path, manifest, folder, tell, free=None):
    """Make sure that the engine of a deployment is on the board.

    Args:
        trt: The module.
        dialect: Its dialect.
        gpu: ``{"gpu", "sm", "driver"}``.
        path: The ONNX file.
        manifest: The deployment's; its ``build`` says how.
        folder: Where engines are kept.
        tell: ``tell(stage, done, of)``.
        free: Bytes of memory that are free now, or None where it is not known.

    Returns:
        ``{"path", "key", "cached", "reason", "seconds", "size", "tensorrt", "gpu", "sm", "workspace"}``.

    Raises:
        Failure: Too little memory, an operator that TensorRT does not know, no space.
    """
    options = manifest["build"]
    what = dict(
        gpu,
        bundle=manifest["digest"],
        graph=manifest["artifact"],
        tensorrt="{} {}".format(dialect.package, trt.__version__),
        precision=options["precision"],
        dla_core=options.get("dla_core"),
    )
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode("utf-8")).hexdigest()
    engine = os.path.join(folder, key + ".engine")
    known = read_json(os.path.join(folder, key + ".json"))
    if known and os.path.isfile(engine) and file_digest(engine) == known.get("sha256"):
        return dict(_account(engine, what), cached=True, reason=None, seconds=0.0, workspace=None)
    reason = "the engine on the board was damaged" if known else _changed(folder, what)
    size = os.path.getsize(path)
    workspace = workspace_for(free, size)
    began = time.time()
    timings = os.path.join(folder, "timings-" + _short(what["tensorrt"] + what["gpu"]))
    with open(path, "rb") as stream:
        data = stream.read()
    plan, kept = build(trt, dialect, data, dict(options, sm=gpu["sm"]), workspace, _read(timings), tell)
    _keep(folder, key, what, plan, timings, kept)
    return dict(
        _account(engine, what),
        cached=False,
        reason=reason,
        seconds=round(time.time() - began, 1),
        workspace=workspace,
    )


def built_for(engine):
    """What an engine was built for, from the file beside it."""
    known = read_json(engine[: -len(".engine")] + ".json")
    return known["what"] if isinstance(known, dict) and isinstance(known.get("what"), dict) else {}


def workspace_for(free, graph):
    """Scratch memory for the builder, bytes, from what is free now.

    Raises:
        Failure: "memory": the build would most likely be killed.
    """
    if free is None:
        return LEAST_WORKSPACE
    needed = LIBRARIES + TIMES_GRAPH * graph
    if free < needed + LEAST_WORKSPACE:
        raise Failure(
            "memory",
            "building the engine takes about {} MB of memory, {} MB are free".format(
                (needed + LEAST_WORKSPACE) // 1000000, free // 1000000
            ),
            "stop the desktop and other programs on the board, or add swap, and deploy again",
            needed=needed + LEAST_WORKSPACE,
            free=free,
        )
    return min((free - needed) // 2 + LEAST_WORKSPACE // 2, MOST_WORKSPACE)


def free_memory(gpu_free, path="/proc/meminfo"):
    """The smaller of what the system and the GPU have free, bytes; they are the same memory on a Jetson."""
    try:
        with open(path) as stream:
            for line in stream:
                if line.startswith("MemAvailable:"):
                    return min(int(line.split()[1]) * 1024, gpu_free)
    except (OSError, ValueError, IndexError):
        pass
    return gpu_free


def _account(engine, what):
    facts = {name: what[name] for name in ("tensorrt", "gpu", "sm")}
    key = os.path.basename(engine).partition(".")[0]
    return dict(facts, path=engine, key=key, size=os.path.getsize(engine))


def _changed(folder, what):
    """Why an engine of the same bundle does not serve any more; None for a first build."""
    for _, old in others(folder, what["bundle"]):
        different = [name for name in sorted(TITLES) if old.get(name) != what[name]]
        if different:
            parts = ["{} was {} and is {}".format(TITLES[n], old.get(n), what[n]) for n in different]
            return "; ".join(parts)
    return None


def _keep(folder, key, what, plan, timings, kept):
    """Write the new engine, then forget older ones of the same bundle."""
    old = [name for name, _ in others(folder, what["bundle"]) if name != key]
    facts = {"what": what, "sha256": hashlib.sha256(plan).hexdigest()}
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        write_atomic(os.path.join(folder, key + ".engine"), plan)
        write_atomic(os.path.join(folder, key + ".json"), json.dumps(facts, sort_keys=True).encode("utf-8"))
        if kept:
            write_atomic(timings, kept)
    except OSError as error:
        raise from_os_error(error, len(plan), shutil.disk_usage(os.path.dirname(folder)).free, folder)
    for name in old:
        remove(folder, name)


def _read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def _short(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
