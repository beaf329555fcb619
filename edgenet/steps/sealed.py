"""Everything that belongs to a build, sealed into a bundle's bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from edgenet import __version__
from edgenet.arrays import array_bytes
from edgenet.backend import Artifact
from edgenet.bundle import pack
from edgenet.files import sha256
from edgenet.golden import Golden
from edgenet.model import Model
from edgenet.quantize.quantized import Quantized
from edgenet.steps.plan import Plan

__all__ = ["sealed"]

REFERENCE = "reference.onnx"


def sealed(
    model: Model,
    decided: Plan,
    made: Quantized | None,
    golden: Golden,
    artifact: Artifact,
    answers: NDArray[Any],
    conversion: Mapping[str, Any],
) -> bytes:
    """The bytes of a bundle; the same inputs give the same.

    Args:
        model: As the user gave it.
        decided: What was built.
        made: How it was quantized; ``None`` where edgenet did not.
        golden: The golden set.
        artifact: What the board runs or finishes.
        answers: The artifact's raw ones to the golden set, [n, values].
        conversion: How far the float artifact is from the model, JSON-ready.
    """
    manifest = {
        **_about_model(model, artifact, decided),
        **_about_quantization(made),
        "golden": golden.to_table(),
        "conversion": conversion,
    }
    return pack(manifest, _files(model, artifact, golden, answers))


def _about_model(model: Model, artifact: Artifact, decided: Plan) -> dict[str, Any]:
    height, width = model.preprocessing.size
    return {
        "tool": f"edgenet {__version__}",
        "model": {
            "name": model.name,
            "digest": model.digest,
            "task": model.task_name,
            "output": model.output,
            "settings": dict(model.settings),
        },
        "target": decided.target,
        "backend": decided.backend,
        "precision": decided.precision,
        "built": decided.built,
        "artifact": {
            "file": artifact.file,
            "sha256": sha256(artifact.data),
            "size": len(artifact.data),
            "input": {
                "dtype": artifact.input_dtype,
                "layout": "NHWC",
                "color": "rgb",
                "shape": [1, height, width, 3],
            },
            "output": artifact.output.to_table(),
            "build": artifact.build,
        },
        "preprocessing": model.preprocessing.to_table(),
        "labels": list(model.labels),
        "label_offset": model.label_offset,
        "reference": {"file": REFERENCE} | ({"precision": "int8"} if model.precision == "int8" else {}),
    }


def _about_quantization(made: Quantized | None) -> dict[str, Any]:
    """What a bundle keeps of quantizing; no times, so that the same inputs give the same bytes."""
    if made is None:
        return {"recipe": None, "calibration": None, "quantization": None}
    used, account = made.calibration, made.account
    fed = {"skipped": len(used.skipped), "digest": used.digest} if used else {}
    return {
        "recipe": made.recipe.to_table(),
        "calibration": {"images": account.images, **fed} if used else None,
        "quantization": account.facts(),
    }


def _files(model: Model, artifact: Artifact, golden: Golden, answers: NDArray[Any]) -> dict[str, bytes]:
    return {
        artifact.file: artifact.data,
        **artifact.more,
        REFERENCE: model.proto.SerializeToString(deterministic=True),
        "golden/reference.npy": array_bytes(golden.reference),
        "golden/artifact.npy": array_bytes(answers),
        **golden.images,
    }
