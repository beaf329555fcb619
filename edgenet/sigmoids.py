"""What tasks share whose answers are numbers of their own, each with a probability: binary and multilabel."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.tasks import sigmoid
from edgenet.task import Answers, Task

__all__ = ["SigmoidTask", "is_probability", "logits_of"]

LOGITS, PROBABILITIES = "logits", "probabilities"
SIGMOIDS = ("HardSigmoid", "Sigmoid")
# Of a Sigmoid in float32, 1 - p is 4.5e-5 here and known to a thousandth; above it is soon 0.
LARGEST_LOGIT = 10.0


class SigmoidTask(Task):
    """Logits or probabilities of which each is judged by a threshold of its own."""

    outputs = (LOGITS, PROBABILITIES)
    synonyms: ClassVar[Mapping[str, str]] = {"sigmoid": PROBABILITIES}
    heads: ClassVar[tuple[str, ...]] = ("logits", "sigmoid")
    ending = "sigmoid"

    @property
    @abstractmethod
    def thresholds(self) -> NDArray[np.float64]:
        """The probabilities above which it is so, [1] or [values]."""

    def contradiction(self, ending: str) -> tuple[str, str] | None:
        """A Sigmoid gives probabilities, and an L2 normalization is of another task."""
        given = PROBABILITIES if ending in SIGMOIDS else LOGITS
        if ending == "LpNormalization":
            what = "which gives vectors of length 1, as an embedding does"
            return what, 'write task = "embedding" in the card'
        if given == self.output:
            return None
        told = f"which gives {given}, and the card says {self.output!r}"
        return told, f'write output = "{given}" in the card'

    def comparable(self, values: NDArray[Any], meaning: str) -> Answers:
        """Logits, counted from those of the thresholds."""
        bounded = PROBABILITIES in (meaning, self.output)
        return logits_of(values, meaning == PROBABILITIES, bounded) - self._cut

    def matched(self, reference: Answers, meaning: str) -> Answers:
        """Probabilities do not tell large logits apart."""
        return logits_of(reference + self._cut, False, meaning == PROBABILITIES) - self._cut

    def probes(self, wanted: Answers, count: int, generator: np.random.Generator) -> Answers:
        """The gradient of the log-likelihood of labels that the network itself would draw."""
        p = sigmoid(wanted)
        drawn = generator.random((count, wanted.shape[1])) < p
        return np.asarray(drawn - p, np.float32)

    @property
    def _cut(self) -> NDArray[np.float32]:
        return np.asarray(np.log(self.thresholds) - np.log1p(-self.thresholds), np.float32)


def is_probability(value: object) -> bool:
    """Whether it can be a threshold: a number between 0 and 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1


def logits_of(values: NDArray[Any], probabilities: bool, bounded: bool) -> Answers:
    """Logits of values that each are one, or the probability that a Sigmoid makes of one; any shape.

    Args:
        values: Logits or probabilities.
        probabilities: Whether they are probabilities.
        bounded: Whether to cut logits where probabilities tell them apart no more.
    """
    if probabilities:
        share = np.clip(values.astype(np.float64), 1e-30, 1.0 - 1e-15)
        values = np.log(share) - np.log1p(-share)
    made = values.astype(np.float32)
    return np.clip(made, -LARGEST_LOGIT, LARGEST_LOGIT) if probabilities or bounded else made
