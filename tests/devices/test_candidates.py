"""Which runtimes fit a board: its Python, C library and processor, and what its own Python has."""

from __future__ import annotations

from typing import Any

import pytest

from edgenet.devices.candidates import candidates, fits
from edgenet.devices.index import Index
from edgenet.errors import DeviceError
from edgenet.facts import Facts

BOOKWORM: dict[str, Any] = {
    "cores": 4,
    "system": "Linux",
    "python_implementation": "cpython",
    "machine": "aarch64",
    "python": "3.11.2",
    "python_bits": 64,
    "glibc": "2.36",
}


NUMPY = {"packages": {"numpy": "1.24.2"}}
ARM11 = {"python_bits": 32, "cpu": "ARM1176", "cpu_parts": ("0x41 0xb76",)}


def board_facts(**changes: Any) -> Facts:
    return Facts(**{**BOOKWORM, **changes})


@pytest.mark.parametrize(
    ("backend", "changes", "first"),
    [
        ("onnxruntime", {}, "onnxruntime==1.31.1"),
        ("tflite", {}, "ai-edge-litert==2.3.0"),
        ("onnxruntime", {"python": "3.13.5", "glibc": "2.41"}, "onnxruntime==1.31.1"),
        ("onnxruntime", {"python": "3.6.9", "glibc": "2.27"}, "onnxruntime==1.10.0"),
        ("onnxruntime", {"python": "3.8.10", "glibc": "2.31"}, "onnxruntime==1.19.2"),
        ("tflite", {"python": "3.8.10", "glibc": "2.31"}, "tflite-runtime==2.13.0"),
        ("tflite", {"python": "3.9.2", "glibc": "2.31"}, "ai-edge-litert==2.1.0"),
        ("tflite", {"python_bits": 32, **NUMPY}, "tflite-runtime==2.14.0"),
        ("tflite", {"machine": "armv7l", "python_bits": 32, **NUMPY}, "tflite-runtime==2.14.0"),
        ("tflite", {"machine": "armv8l", "python_bits": 32, **NUMPY}, "tflite-runtime==2.14.0"),
        ("onnxruntime", {"machine": "x86_64"}, "onnxruntime==1.31.1"),
    ],
)
def test_first_choice(backend: str, changes: dict[str, Any], first: str) -> None:
    assert candidates(backend, board_facts(**changes))[0].name == first


@pytest.mark.parametrize(
    ("backend", "changes", "why"),
    [
        ("tflite", {"python": "3.6.9", "glibc": "2.27"}, "no wheels for Python 3.6 on aarch64"),
        ("onnxruntime", {"python": "3.5.2"}, "no wheels for Python 3.5"),
        ("onnxruntime", {"machine": "riscv64"}, "no wheels for riscv64"),
        ("onnxruntime", {"python_bits": 32}, "no wheels for armv7l"),
        ("tflite", {"python_bits": 32, "glibc": "2.31", "python": "3.9.2"}, "glibc 2.34, the board has 2.31"),
        ("tflite", {"python_bits": 32, "python": "3.13.5", "glibc": "2.41"}, "no wheels for Python 3.13 on"),
        ("tflite", {"python_bits": 32}, "2.14.0 imports numpy, which the board's Python does not have"),
        ("tflite", {"machine": "armv6l", "python_bits": 32, **NUMPY}, "is Armv6, and every runtime needs"),
        ("tflite", {**ARM11, "machine": "armv7l", **NUMPY}, r"its processor \(ARM1176\) is Armv6"),
        ("onnxruntime", {"glibc": None}, "not glibc"),
        ("onnxruntime", {"python": "3.13.1", "glibc": "2.27"}, "need glibc 2.28, the board has 2.27"),
        ("onnxruntime", {"system": "Darwin"}, "on Darwin is not supported"),
        ("onnxruntime", {"python_implementation": "pypy"}, "pypy on Linux"),
        ("tensorrt", {}, "no wheels for aarch64"),
    ],
)
def test_refusals_say_why(backend: str, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(DeviceError, match=why) as caught:
        candidates(backend, board_facts(**changes))
    assert caught.value.remedy


def test_fallback_comes_after() -> None:
    names = [pin.name for pin in candidates("onnxruntime", board_facts())]
    assert names == ["onnxruntime==1.31.1", "onnxruntime==1.16.3"]


NARROW = {
    "python_bits": 32,
    "python_executable": "/usr/bin/python3",
    "os": "Raspbian GNU/Linux 12 (bookworm)",
}


@pytest.mark.parametrize(
    ("changes", "what", "remedy"),
    [
        ({}, "imports numpy, which", "run `sudo apt install python3-numpy` there"),
        ({"os": "Debian GNU/Linux 12"}, "imports numpy, which", "run `sudo apt install python3-numpy` there"),
        (
            {"os": "Fedora Linux 40"},
            "imports numpy",
            'run `/usr/bin/python3 -m pip install "numpy>=1.23.2,<2"`',
        ),
        (
            {"python_executable": "/home/pi/v/bin/python"},
            "imports numpy",
            'run `/home/pi/v/bin/python -m pip install "numpy>=1.23.2,<2"` there',
        ),
        ({"packages": {"numpy": "2.2.4"}}, "the board's own is 2.2.4", "EDGENET_INDEX"),
        ({"packages": {"numpy": "1.21.5"}}, "needs numpy>=1.23.2,<2, and the board's own is 1.21.5", "INDEX"),
        ({"packages": {"numpy": "2.0.0rc1"}}, "the board's own is 2.0.0rc1", "EDGENET_INDEX"),
    ],
)
def test_what_a_runtime_imports_is_named_with_the_one_command(
    changes: dict[str, Any], what: str, remedy: str
) -> None:
    with pytest.raises(DeviceError) as caught:
        candidates("tflite", board_facts(**{**NARROW, **changes}))
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert fits("tflite", board_facts(**{**NARROW, **changes}))


@pytest.mark.parametrize("version", ["1.23.2", "1.24.2", "1.26.4", "1.24.2+rpi1", "1.99", ""])
def test_any_numpy_that_the_runtime_takes_will_do(version: str) -> None:
    facts = board_facts(**NARROW, packages={"numpy": version})
    assert candidates("tflite", facts)[0].lacking == ()


def test_what_the_board_lacks_may_come_from_an_index(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path))
    index = Index.parse("https://example.invalid/simple")
    (pin,) = candidates("tflite", board_facts(**NARROW), index)
    assert [need.text for need in pin.lacking] == ["numpy>=1.23.2,<2"]


def test_a_runtime_that_brings_everything_asks_nothing_of_the_board() -> None:
    assert candidates("tflite", board_facts())[0].lacking == ()


def test_boards_with_newer_c_libraries_share_the_wheels() -> None:
    """So a wheelhouse that was filled for a target is found for the board itself."""
    old, new = board_facts(glibc="2.36"), board_facts(glibc="2.41")
    assert candidates("onnxruntime", old) == candidates("onnxruntime", new)
