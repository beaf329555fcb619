"""An estimate: what a network would take on a board, as far as left-out figures say that it can be told."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgenet.estimates.correction import Case, Correction
from edgenet.estimates.figure import Figure, published_figures, recorded_figures
from edgenet.estimates.judged import Judged, judge
from edgenet.estimates.roofline import SIZES, roofline_ms
from edgenet.estimates.work import Work
from edgenet.json_value import Count, Positive
from edgenet.library import reference_reports
from edgenet.published import machine_of, published_accuracy
from edgenet.record import Record
from edgenet.report import ESTIMATED
from edgenet.shell import command_line
from edgenet.target import Target
from edgenet.zoo.named import named

__all__ = ["Estimate", "estimated", "known_figures"]

Interval = tuple[float, float]
NO_MOBILENET = "the correction is known for MobileNets only, and by its structure this network is not one"
# Three times on one board are published of TensorRT: too few to leave any out.
GPU = "GPUs are not estimated: what is published of TensorRT with MobileNets is of one board"
ALONE = "this is the network alone; no published figure tells what decoding, resizing and postprocessing add"


@dataclass(frozen=True, kw_only=True)
class Estimate(Record):
    """ESTIMATED, not measured: no gate, comparison, report or demo takes it.

    Attributes:
        kind: "estimated".
        words: What it is in words, ESTIMATED first.
        model, target, backend, precision, threads: Of what; ``threads`` 0 means every core.
        macs: Multiply-adds of the network for one image.
        roofline_ms: What the data sheet allows, ms an image; ``None`` where the clock is not known.
        tells: Whether there is an estimate.
        ms, fps: It; ``None`` where it cannot be told.
        interval_ms, interval_fps: In which nine in ten left-out figures lay.
        factor: Of that interval, up and down; also where it is too large to tell.
        figures: How many left-out figures that rests on.
        why: What was left out; or why it cannot be told.
        remedy: What to do where it cannot be told.
        notes: How to read it.
    """

    kind: str
    words: str
    model: str
    target: str
    backend: str
    precision: str
    threads: Count
    macs: Count
    roofline_ms: Positive | None
    tells: bool
    ms: Positive | None
    interval_ms: Interval | None
    fps: Positive | None
    interval_fps: Interval | None
    factor: Positive | None
    figures: Count
    why: str
    remedy: str | None
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Estimate {self.words}>"

    def _title(self) -> str:
        return self.words

    def _rows(self) -> Mapping[str, Any]:
        known = {
            "backend": f"{self.backend} {self.precision}",
            "multiply-adds": f"{self.macs / 1e6:.1f} million",
        }
        return {
            **known,
            "why": self.why,
            "notes": self.notes,
            **({"remedy": self.remedy} if self.remedy else {}),
        }


@functools.cache
def known_figures() -> tuple[Figure, ...]:
    """All published ones, and those of the reports that travel with edgenet."""
    return (*published_figures(), *recorded_figures(reference_reports())[0])


def estimated(
    model: str,
    work: Work,
    target: Target,
    backend: str,
    precision: str,
    threads: int = 0,
    *,
    full_size: bool = False,
    given: str | None = None,
    figures: Sequence[Figure] | None = None,
) -> Estimate:
    """Estimate a network on a board.

    Args:
        model: Its name.
        work: What it asks of a processor.
        target: The board.
        backend: One of edgenet's.
        precision: As the command line names it.
        threads: Of the runtime; 0 means every core.
        full_size: Whether it is a network of width 1.0 and resolution 224.
        given: What the command line takes for it; empty of a value in memory, ``None`` of a network that goes
            by its name.
        figures: Other figures than all that are known.
    """
    known = known_figures() if figures is None else tuple(figures)
    case = Case(work, machine_of(target), precision, backend, threads)
    roof, judged = None, Judged(None, 0, GPU, False)
    if backend != "tensorrt":
        judged = judge(case, known, not full_size) if work.family else Judged(None, 0, NO_MOBILENET, False)
        roof = roofline_ms(work, case.machine, precision, threads) if precision in SIZES else None
    unknown = _unknown(case, known)
    tells, why = judged.tells and not unknown, judged.why
    if judged.factor is not None and unknown:
        why = f"{target.title}: {unknown} is not known"
    ms = Correction.of(known).ms(case) if tells else None
    factor = judged.factor
    told = (ms, (ms / factor, ms * factor)) if ms and factor else (None, None)
    return Estimate(
        kind=ESTIMATED,
        words=_words(model, target, told),
        model=model,
        target=target.name,
        backend=backend,
        precision=precision,
        threads=threads,
        macs=work.macs,
        roofline_ms=roof,
        tells=tells,
        ms=ms,
        interval_ms=told[1],
        fps=1e3 / ms if ms else None,
        interval_fps=(1e3 / told[1][1], 1e3 / told[1][0]) if told[1] else None,
        factor=factor,
        figures=judged.figures,
        why=why,
        remedy=None if tells else _remedy(model, given, target),
        notes=(ALONE,),
    )


def _unknown(case: Case, known: Sequence[Figure]) -> str:
    """What a roofline needs and the board's file does not say; empty where it says all.

    Without a bandwidth the roofline is lower, so figures of boards without one alone tell of such a board.
    """
    cpu = case.machine.cpu
    if not cpu.clock_mhz:
        return "the clock of its processor"
    if not (cpu.cores or case.threads):
        return "the number of its cores"
    here = [item.machine.memory_gb_s for item in known if item.core == cpu.core]
    return "" if case.machine.memory_gb_s or None in here else "the bandwidth of its memory"


def _words(model: str, target: Target, told: tuple[float | None, Interval | None]) -> str:
    ms, interval = told
    if ms is None or interval is None:
        return f"ESTIMATED: cannot tell how long {model} takes on {target.title}"
    low, high = interval
    return (
        f"ESTIMATED, not measured: {model} on {target.title} takes {_three(ms)} ms "
        f"({_three(low)} to {_three(high)}), {_three(1e3 / ms)} FPS "
        f"({_three(1e3 / high)} to {_three(1e3 / low)}), the network alone"
    )


def _three(value: float) -> str:
    """Three digits: no estimate is worth more."""
    return f"{float(f'{value:.3g}'):,g}"


def _remedy(model: str, given: str | None, target: Target) -> str:
    """How it is measured instead; of a network that cannot be swept, how others of its family are."""
    device = "local" if target.name == "local" else "user@board"
    network = named(model) if given is None else None
    if network is None:
        how = f"edgenet sweep {command_line([given])} --val DIR --device {device}, or " if given else ""
        return f"measure: {how}compile, deploy and profile it"
    if published_accuracy(network.family, network.alpha, network.resolution) is None:
        return f"measure published ones: edgenet sweep {network.family} --device {device}"
    return (
        f"measure: edgenet sweep {network.family} --alpha {network.alpha} --resolution {network.resolution} "
        f"--device {device}"
    )
