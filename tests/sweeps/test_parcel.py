"""What goes to a worker and comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgenet.devices.replies import BoardError
from edgenet.errors import DataError, EdgenetError, ModelError
from edgenet.sweeps.parcel import Parcel


def test_a_value_comes_as_it_went() -> None:
    assert Parcel.of({"a": (1, None)}).open() == {"a": (1, None)}


def test_damage_is_refused_before_it_is_read() -> None:
    parcel = Parcel.of([1, 2, 3])
    with pytest.raises(DataError, match="not the data that was sent"):
        replace(parcel, data=parcel.data[:-2] + b"}.").open()


@pytest.mark.parametrize(
    "error",
    [
        ModelError("m.onnx: truncated", "export it again"),
        EdgenetError("without a remedy"),
        BoardError("no-space", "pi: no space", "edgenet prune", {"needed": 7}),
    ],
)
def test_errors_keep_reason_remedy_and_type(error: EdgenetError) -> None:
    found = Parcel.of(error).open()
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
