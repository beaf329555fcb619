"""What trainings of embedded models have in common: one thread, one optimizer, one check of the export."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx

from edgenet.errors import ModelError
from edgenet.zoo.in_torch import function

if TYPE_CHECKING:
    import torch

__all__ = ["Descent", "check_export", "reproducible", "say"]

RATE, DECAY, RISE = 3e-3, 0.02, 0.05
THREADS, TOLERANCE = 1, 1e-3


class Descent:
    """AdamW (arXiv 1711.05101) whose rate rises for a twentieth of the way, then falls along half a cosine.

    Args:
        weights: By name; means and variances are not its own, and only kernels decay.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        import torch

        trained = [tensor for name, tensor in weights.items() if not name.endswith(("mean", "variance"))]
        groups = [
            {"params": [tensor for tensor in trained if tensor.ndim == 4], "weight_decay": DECAY},
            {"params": [tensor for tensor in trained if tensor.ndim == 1], "weight_decay": 0.0},
        ]
        for tensor in trained:
            tensor.requires_grad_()
        self._optimizer = torch.optim.AdamW(groups, lr=RATE)

    def step(self, loss: torch.Tensor, progress: float) -> float:
        """Go down a loss, at a place from 0 to 1 of the whole training; returns the loss."""
        import torch

        for group in self._optimizer.param_groups:
            group["lr"] = RATE * min(progress / RISE, 0.5 + 0.5 * math.cos(math.pi * progress))
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._optimizer.step()
        return float(loss.item())


def reproducible() -> None:
    """From here on torch gives the same numbers in every run on one machine."""
    import torch

    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    # A guard for debugging that costs a third of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined, unused-ignore]


def check_export(
    model: onnx.ModelProto, weights: Mapping[str, torch.Tensor], inputs: np.ndarray, outputs: Sequence[str]
) -> None:
    """Say how far the exported graph in ONNX Runtime is from torch.

    Args:
        model: What was exported.
        weights: What was trained.
        inputs: float32 [n, 3, H, W], as the network takes them.
        outputs: Names of what is compared.

    Raises:
        ModelError: Too far.
    """
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = [session.run(list(outputs), {"input": image[None]}) for image in inputs]
    with torch.no_grad():
        expected = function(model.graph, outputs)(weights, torch.from_numpy(inputs))
    pairs = zip(zip(*answers, strict=True), expected, strict=True)
    far = max(float(np.abs(np.concatenate(got) - wanted.numpy()).max()) for got, wanted in pairs)
    if far > TOLERANCE:
        raise ModelError(f"the exported graph and torch disagree by {far:.1e}", "report this as a bug")
    say(f"largest difference of outputs, ONNX Runtime to torch: {far:.1e}")


def say(line: str) -> None:
    """Tell whoever waits."""
    print(line, file=sys.stderr, flush=True)
