"""Requirements of ``pins.toml``, as pip would read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._vendor.packaging.requirements import Requirement

from edgenet.devices.needs import need
from edgenet.facts import Facts

RELEASE = st.lists(st.integers(0, 30), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@given(lower=RELEASE, upper=RELEASE, own=st.lists(st.integers(0, 30), min_size=3, max_size=3))
def test_versions_are_compared_as_pip_does(lower: str, upper: str, own: list[int]) -> None:
    version = ".".join(map(str, own))
    text = f"numpy>={lower},<{upper}"
    here = Facts(cores=1, packages={"numpy": version})
    assert (not need(text).lacking(here)) == Requirement(text).specifier.contains(version)


@pytest.mark.parametrize(
    "text", ["", "numpy==1", "numpy>=1,>=2", "numpy>=", "Numpy!", "numpy<2;x", "numpy 1"]
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bounds such as"):
        need(text)
