"""What a bundle is, in lines for people: what is asked first comes first."""

from __future__ import annotations

from typing import Any

from edgenet.bundle import Bundle
from edgenet.cli.shared.quantization import judged_rows
from edgenet.errors import EdgenetError
from edgenet.figures import size
from edgenet.json_value import Where
from edgenet.manifest import TensorSpec
from edgenet.quantize.result import Quantization

__all__ = ["bundle_lines", "file_rows"]

Row = tuple[str, str]


def bundle_lines(bundle: Bundle) -> list[Row]:
    """Board, build, size, recipe, drift, classes, input and output."""
    told = bundle.manifest
    artifact, output = told.artifact, told.artifact.output
    height, width = told.preprocessing.size
    return [
        ("model", f"{told.model.name}, {told.model.task}"),
        ("build", f"{told.backend} {told.precision} for {told.target}{_built(told.built)}"),
        ("size", f"{size(bundle.size)}, {size(artifact.size)} of it the artifact {artifact.file}"),
        *_quantization(bundle),
        ("classes", _classes(bundle)),
        ("input", f"uint8 [1, {height}, {width}, 3] RGB pixels"),
        ("output", _output(output)),
        *_scales(output),
        ("made by", told.tool),
        ("sha256", bundle.digest),
    ]


def file_rows(bundle: Bundle) -> list[list[str]]:
    """Name, size and the beginning of the sha256 of each file within."""
    return [[name, size(item.size), item.sha256[:12]] for name, item in bundle.manifest.files.items()]


def _built(where: str) -> str:
    return "; the board builds its engine when it is deployed" if where == "device" else ""


def _quantization(bundle: Bundle) -> list[Row]:
    told = bundle.manifest
    if told.recipe is None or told.quantization is None:
        return []
    count = (told.calibration or {}).get("images", "no")
    rows = [("recipe", f"{told.recipe.get('name', 'unnamed')}, {count} calibration images")]
    costs: dict[str, Any] = {"seconds": 0.0, "images": 0, "peak_mb": None, "stages": {}}
    try:
        facts = Quantization.from_table(
            {**told.quantization, **costs}, Where("the bundle", error=EdgenetError)
        )
    except EdgenetError:  # kept for people, by an edgenet that wrote it otherwise
        return rows
    return rows + judged_rows(facts.facts(), told.task)


def _classes(bundle: Bundle) -> str:
    names = bundle.manifest.class_names
    if not names:
        return f"{bundle.manifest.artifact.output.classes} values without names"
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"{len(names)}: {shown}"


def _output(output: TensorSpec) -> str:
    """What the numbers are; those of several outputs are not all logits."""
    meaning = f"values in {len(output.parts)} outputs" if output.parts else output.meaning
    return f"{output.classes} {output.dtype} {meaning}{', and the best class' if output.label else ''}"


def _scales(output: TensorSpec) -> list[Row]:
    if output.scale is not None:
        return [("", f"logit = {output.scale:.6g} * (output - {output.zero_point})")]
    rows = []
    for part in output.parts or ():
        told = "" if part.scale is None else f", value = {part.scale:.6g} * (output - {part.zero_point})"
        rows.append(("", f"{part.name}: {part.values} values{told}"))
    return rows
