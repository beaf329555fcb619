"""What quantizing did, in a few lines for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgenet.quantize.quantized import Quantized
from edgenet.task import Task

__all__ = ["judged_rows", "pass_lines", "quantization_rows"]

# Names of layers that are spelled out; of more only the first.
NAMED = 5


def quantization_rows(made: Quantized) -> list[tuple[str, str]]:
    """Recipe, images and time, and what :func:`judged_rows` says."""
    account = made.account
    took = f" in {account.seconds:.1f} s" + (", taken from the cache" if made.cached else "")
    return [
        ("quantized", f"by recipe {made.recipe.name} with {account.images} images{took}"),
        *judged_rows(account.facts(), made.original.task),
    ]


def judged_rows(facts: Mapping[str, Any], task: Task) -> list[tuple[str, str]]:
    """Layers in float, the drift to be expected and on how many images, the noisiest layer.

    Args:
        facts: As :meth:`edgenet.quantize.result.Quantization.facts`.
        task: Of the model.
    """
    layers: Sequence[Mapping[str, Any]] = facts["layers"]
    kept = [str(layer["name"]) for layer in layers if layer.get("weights") == "float"]
    names = ", ".join(kept[:NAMED]) + (", …" if len(kept) > NAMED else "")
    judged = [*facts["passes"], *facts["attempts"]]
    worst = min(layers, key=lambda layer: layer["sqnr_db"])
    return [
        (
            "in float",
            f"{len(kept)} of {len(layers)} layers: {names}" if kept else f"none of {len(layers)} layers",
        ),
        ("drift", _expected(judged[-1], task) if judged else "not judged by this recipe"),
        ("noisiest layer", f"{worst['name']}, {worst['sqnr_db']} dB"),
    ]


def _expected(line: Mapping[str, Any], task: Task) -> str:
    count = line.get("images")
    images = f" on {count} calibration images" if isinstance(count, int) else " on calibration images"
    return f"{task.told_loss(line['expected_loss_pp'])}{images}; {_kept(line)}"


def _kept(line: Mapping[str, Any]) -> str:
    least = line.get("agreement_at_least")  # older files do not say it
    bound = f" (95 % sure: at least {100 * least:.0f} %)" if isinstance(least, int | float) else ""
    return f"{100 * line['agreement']:.1f} % keep the float model's answer{bound}"


def pass_lines(facts: Mapping[str, Any], task: Task) -> list[str]:
    """What each pass won, and what was tried for a drift limit."""
    lines = [f"{line['pass']}: {_expected(line, task)}" for line in facts["passes"]]
    return lines + [
        f"{line['float_steps']} layers in float, time x{line['estimated_time']:.2f}: {_expected(line, task)}"
        for line in facts["attempts"]
    ]
