"""Quantize, compile, deploy and profile MobileNets on edge boards.

The verbs and types below are imported when they are first used, so that ``import edgenet`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from edgenet.board import Board
    from edgenet.bundle import Bundle
    from edgenet.cards.frameworks import card_like
    from edgenet.errors import EdgenetError
    from edgenet.fleet import Fleet
    from edgenet.fleet_report import FleetReport
    from edgenet.fleets.deploying import deploy_fleet
    from edgenet.fleets.each import each
    from edgenet.fleets.profiling import profile_fleet
    from edgenet.fleets.rollout import rollout
    from edgenet.fleets.rollout_options import RolloutOptions
    from edgenet.imageset import ImageSet
    from edgenet.model import Model
    from edgenet.protocol import Protocol
    from edgenet.quantize.quantized import Quantized
    from edgenet.recipe import Recipe
    from edgenet.report import Report
    from edgenet.steps.compare import compare
    from edgenet.steps.compare_fleets import compare_fleets
    from edgenet.steps.compile import compile
    from edgenet.steps.demo import DemoOptions, demo
    from edgenet.steps.deploy import deploy
    from edgenet.steps.doctor import doctor
    from edgenet.steps.estimate import estimate
    from edgenet.steps.fastest import deploy_fastest
    from edgenet.steps.init import init
    from edgenet.steps.own_target import own_target
    from edgenet.steps.parity import parity
    from edgenet.steps.planning import plan
    from edgenet.steps.probe import probe
    from edgenet.steps.profile import profile
    from edgenet.steps.prune import prune
    from edgenet.steps.quantize import quantize_model
    from edgenet.steps.quickstart import quickstart
    from edgenet.steps.remove import remove
    from edgenet.steps.report import present
    from edgenet.steps.rollback import rollback
    from edgenet.steps.sign import sign
    from edgenet.steps.signed_by import signed_by
    from edgenet.steps.status import status
    from edgenet.steps.to_frame import to_frame
    from edgenet.steps.trust import trust, trusted, untrust
    from edgenet.steps.wheelhouse import wheelhouse
    from edgenet.sweeps.plan import SweepPlan
    from edgenet.sweeps.sweep import sweep
    from edgenet.swept import Sweep
    from edgenet.target import Target

_HOMES = {
    "Board": "edgenet.board",
    "Bundle": "edgenet.bundle",
    "DemoOptions": "edgenet.steps.demo",
    "EdgenetError": "edgenet.errors",
    "Fleet": "edgenet.fleet",
    "FleetReport": "edgenet.fleet_report",
    "ImageSet": "edgenet.imageset",
    "Model": "edgenet.model",
    "Protocol": "edgenet.protocol",
    "Quantized": "edgenet.quantize.quantized",
    "Recipe": "edgenet.recipe",
    "Report": "edgenet.report",
    "RolloutOptions": "edgenet.fleets.rollout_options",
    "Sweep": "edgenet.swept",
    "SweepPlan": "edgenet.sweeps.plan",
    "Target": "edgenet.target",
    "card_like": "edgenet.cards.frameworks",
    "compare": "edgenet.steps.compare",
    "compare_fleets": "edgenet.steps.compare_fleets",
    "compile": "edgenet.steps.compile",
    "demo": "edgenet.steps.demo",
    "deploy": "edgenet.steps.deploy",
    "deploy_fastest": "edgenet.steps.fastest",
    "deploy_fleet": "edgenet.fleets.deploying",
    "doctor": "edgenet.steps.doctor",
    "each": "edgenet.fleets.each",
    "estimate": "edgenet.steps.estimate",
    "init": "edgenet.steps.init",
    "own_target": "edgenet.steps.own_target",
    "parity": "edgenet.steps.parity",
    "plan": "edgenet.steps.planning",
    "present": "edgenet.steps.report",
    "probe": "edgenet.steps.probe",
    "profile": "edgenet.steps.profile",
    "profile_fleet": "edgenet.fleets.profiling",
    "prune": "edgenet.steps.prune",
    "quantize_model": "edgenet.steps.quantize",
    "quickstart": "edgenet.steps.quickstart",
    "remove": "edgenet.steps.remove",
    "rollback": "edgenet.steps.rollback",
    "rollout": "edgenet.fleets.rollout",
    "sign": "edgenet.steps.sign",
    "signed_by": "edgenet.steps.signed_by",
    "status": "edgenet.steps.status",
    "sweep": "edgenet.sweeps.sweep",
    "to_frame": "edgenet.steps.to_frame",
    "trust": "edgenet.steps.trust",
    "trusted": "edgenet.steps.trust",
    "untrust": "edgenet.steps.trust",
    "wheelhouse": "edgenet.steps.wheelhouse",
}

__all__ = [
    "Board",
    "Bundle",
    "DemoOptions",
    "EdgenetError",
    "Fleet",
    "FleetReport",
    "ImageSet",
    "Model",
    "Protocol",
    "Quantized",
    "Recipe",
    "Report",
    "RolloutOptions",
    "Sweep",
    "SweepPlan",
    "Target",
    "__version__",
    "card_like",
    "compare",
    "compare_fleets",
    "compile",
    "demo",
    "deploy",
    "deploy_fastest",
    "deploy_fleet",
    "doctor",
    "each",
    "estimate",
    "init",
    "own_target",
    "parity",
    "plan",
    "present",
    "probe",
    "profile",
    "profile_fleet",
    "prune",
    "quantize_model",
    "quickstart",
    "remove",
    "rollback",
    "rollout",
    "sign",
    "signed_by",
    "status",
    "sweep",
    "to_frame",
    "trust",
    "trusted",
    "untrust",
    "wheelhouse",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'edgenet' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
