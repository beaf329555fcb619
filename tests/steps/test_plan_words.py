"""What a plan says of its choices."""

from __future__ import annotations

import pytest

from edgenet.errors import PlanError
from edgenet.library import names
from edgenet.steps.plan import plan_for
from edgenet.target import Target


@pytest.mark.parametrize("name", names("target"))
def test_a_choice_beside_a_gpu_says_how_to_find_out(name: str) -> None:
    target = Target.load(name)
    made = plan_for(target)
    said = [why for why in made.why if "runs on the GPU" in why]
    beside = [other for other, support in target.backends.items() if support.built == "device"]
    assert bool(said) == bool(beside and made.backend not in beside)
    if said:
        assert said[0].startswith(f"{made.backend} runs on the CPU")
        assert "one edgenet deploy, which keeps the fastest" in said[0]
    assert not [why for why in plan_for(target, made.backend).why if "GPU" in why], "that was asked for"


@pytest.mark.parametrize(
    ("how", "hint"),
    [
        ({"backend": "tflit"}, "did you mean tflite"),
        ({"backend": "TensorRT"}, "did you mean tensorrt"),
        ({"backend": "nothing"}, "choose one of onnxruntime, tensorrt, tflite"),
        ({"precision": "int9"}, "did you mean int8"),
        ({"precision": "FP16"}, "did you mean fp16"),
        ({"precision": "quarter"}, "choose --precision fp32"),
    ],
)
def test_near_names_are_offered(how: dict[str, str], hint: str) -> None:
    with pytest.raises(PlanError) as caught:
        plan_for(Target.load("raspberry-pi-4"), **how)
    assert hint in caught.value.remedy
