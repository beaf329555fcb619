"""What a board keeps of a bundle, from what its ``manifest.json`` says: the same on both sides of the wire.

The host sends it with a deploy; a board that asks for signatures makes it again from the signed bytes, and
takes nothing else (docs/agent-protocol.md, Deploying).

Python 3.6 syntax: host and board read this same file.
"""

from typing import Any, Dict, List

_OUTPUT = ("dtype", "scale", "zero_point")
_PART = ("name", "values", "scale", "zero_point")


def kept(whole: Dict[str, Any], digest: str, file: str) -> Dict[str, Any]:
    """What a deployment says of its bundle; what runs it there is added by who knows.

    Args:
        whole: The bundle's manifest (docs/bundle.md).
        digest: The sha256 of its bytes.
        file: Which of the bundle's files the board gets: the artifact, or the graph for its TensorRT.
    """
    spec, model, listed = whole["artifact"], whole["model"], whole["files"][file]
    labels = whole["labels"]
    return {
        "digest": digest,
        "name": "{}.{}.{}".format(model["name"], whole["backend"], whole["precision"]),
        "backend": whole["backend"],
        "artifact": listed["sha256"],
        "artifact_size": listed["size"],
        "build": spec.get("build"),
        "file": "model." + spec["file"].rpartition(".")[2],
        "input": {name: spec["input"][name] for name in ("shape", "dtype")},
        "output": _output(spec["output"]),
        "preprocessing": whole["preprocessing"],
        "task": {"name": model.get("task", "classification"), "settings": model.get("settings", {})},
        "labels": ["background"] * whole["label_offset"] + labels if labels else [],
    }


def files(whole: Dict[str, Any]) -> List[str]:
    """The files of a bundle that a board may get: the artifact, and the graphs for its TensorRT."""
    build = whole["artifact"].get("build") or {}
    return [whole["artifact"]["file"]] + sorted(build.get("graphs", {}).values())


def _output(spec):
    """What the board knows of its answers."""
    told = {name: spec[name] for name in _OUTPUT}
    told["meaning"] = spec.get("meaning", "logits")
    if spec.get("parts") is not None:
        told["parts"] = [{name: item[name] for name in _PART} for item in spec["parts"]]
    return told
