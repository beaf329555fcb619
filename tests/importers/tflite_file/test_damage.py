"""Damaged files end in one line of edgenet's own; what is not read is refused by its operator."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.errors import EdgenetError, ModelError, UnsupportedError
from edgenet.importers.tflite_file.operators.table import OPERATORS
from tests.importers.tflite_file.nets import PICTURE, Net, changed, imported
from tests.importers.tflite_file.network_of_bytes import SIZE, classifier

LONGEST = 3200


@functools.cache
def whole() -> bytes:
    return classifier()


def ends_well(data: bytes) -> str:
    """Read it; the message, or nothing where it was taken."""
    begin = time.process_time()
    try:
        imported(data, SIZE)
        said = ""
    except EdgenetError as error:
        said = str(error)
    assert time.process_time() - begin < 20
    assert "\n" not in said
    assert len(said) < LONGEST
    return said


@settings(max_examples=150)
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 255)), min_size=1, max_size=6))
def test_bytes_that_changed(changes: list[tuple[int, int]]) -> None:
    data = bytearray(whole())
    for at, value in changes:
        data[at % len(data)] = value
    ends_well(bytes(data))


@settings(max_examples=80)
@given(at=st.integers(0, 1 << 30), size=st.integers(1, 4000))
def test_bytes_that_are_missing(at: int, size: int) -> None:
    data = whole()
    begin = at % len(data)
    ends_well(data[:begin] + data[begin + size :])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9])
def test_a_download_that_broke_off(share: float) -> None:
    assert ends_well(whole()[: int(share * len(whole()))])


def read_oneself(model: Any) -> None:
    """An operator reads its own result."""
    op = model.subgraphs[0].operators[1]
    op.inputs = [*op.outputs, *op.inputs[1:]]


def give_nothing(model: Any) -> None:
    """The network has no result."""
    model.subgraphs[0].outputs = []


def take_nothing(model: Any) -> None:
    """The network has no input."""
    model.subgraphs[0].inputs = []


def read_the_last(model: Any) -> None:
    """The first operator reads what the last one gives."""
    operators = model.subgraphs[0].operators
    operators[0].inputs = [*operators[-1].outputs, *operators[0].inputs[1:]]


def make_twice(model: Any) -> None:
    operators = model.subgraphs[0].operators
    operators[1].outputs = operators[0].outputs


def name_no_tensor(model: Any) -> None:
    model.subgraphs[0].operators[2].inputs = [1 << 20]


def be_huge(model: Any) -> None:
    model.subgraphs[0].tensors[0].shape = [1, 1 << 24, 1 << 24, 3]


def have_no_scale(model: Any) -> None:
    model.subgraphs[0].tensors[0].quantization.scale = [0.0]


def have_no_operators(model: Any) -> None:
    model.subgraphs[0].operators = []


@pytest.mark.parametrize("change", [
    give_nothing, take_nothing, read_oneself, read_the_last, make_twice, name_no_tensor, be_huge,
    have_no_scale, have_no_operators,
])  # fmt: skip
def test_networks_that_cannot_be(change: Any) -> None:
    with pytest.raises(ModelError):
        imported(changed(whole(), change), SIZE)


def two_networks(model: Any) -> None:
    model.subgraphs = [model.subgraphs[0], model.subgraphs[0]]


def sparse_weights(model: Any) -> None:
    model.subgraphs[0].tensors[1].sparsity = schema.SparsityParametersT()


def weights_elsewhere(model: Any) -> None:
    model.subgraphs[0].tensors[1].externalBuffer = 7


@pytest.mark.parametrize(("change", "said"), [
    (two_networks, "2 networks in one file"),
    (sparse_weights, "sparse tensor: convert the model without sparsity"),
    (weights_elsewhere, "outside the file: give one file"),
])  # fmt: skip
def test_files_that_are_not_read(change: Any, said: str) -> None:
    with pytest.raises(UnsupportedError, match=said):
        imported(changed(whole(), change), SIZE)


UNREAD = {
    "FlexErf": "convert the model with TFLITE_BUILTINS only",
    "edgetpu-custom-op": "give the file from before edgetpu_compiler",
    "ethos-u": "give the file from before Vela",
    "MyLayer": "an operator of its own, which only its author's runtime knows",
}


@pytest.mark.parametrize("name", UNREAD)
def test_operators_of_others_are_refused_with_what_to_do(name: str) -> None:
    def rename(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode, code.deprecatedBuiltinCode, code.customCode = 32, 32, name.encode()

    with pytest.raises(UnsupportedError, match=UNREAD[name]):
        imported(changed(whole(), rename), SIZE)


@pytest.mark.parametrize(("code", "said"), [
    ("RIGHT_SHIFT", "edgenet does not know it"),
    ("DENSIFY", "edgenet does not know it"),
    ("WHILE", "decided while it runs"),
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", "it keeps a state"),
])  # fmt: skip
def test_operators_of_tflite_that_are_not_read(code: str, said: str) -> None:
    net = Net()
    with pytest.raises(UnsupportedError, match=f"{code} .*{said}"):
        imported(net.to_bytes(net.op(code, [net.picture], PICTURE)))


@pytest.mark.parametrize("code", [code for code in OPERATORS if not code.startswith("CUSTOM")])
def test_operators_in_the_place_of_others(code: str) -> None:
    """Their operands fit in number, shape and type, or the file is refused."""
    number = getattr(schema.BuiltinOperator, code)

    def exchange(model: Any, at: int, extra: int) -> None:
        op = model.subgraphs[0].operators[at]
        taken = model.operatorCodes[op.opcodeIndex]
        taken.builtinCode, taken.deprecatedBuiltinCode = number, min(number, 127)
        op.inputs = [*op.inputs, *range(extra)][: len(op.inputs) + extra]

    for at in range(5):
        for extra in (-2, -1, 0, 1):
            ends_well(changed(whole(), functools.partial(exchange, at=at, extra=extra)))


@pytest.mark.parametrize("at", range(5))
def test_operands_in_the_place_of_others(at: int) -> None:
    def exchange(model: Any, place: int, tensor: int) -> None:
        op = model.subgraphs[0].operators[at]
        op.inputs = [tensor if slot == place else index for slot, index in enumerate(op.inputs)]

    for place in range(3):
        for tensor in range(-1, 13):
            ends_well(changed(whole(), functools.partial(exchange, place=place, tensor=tensor)))


def test_slopes_that_do_not_fit_the_picture() -> None:
    net = Net()
    made = net.op("PRELU", [net.picture, net.normal(2)], PICTURE)
    with pytest.raises(ModelError, match=r"PRELU .*slopes \[2\] for \[1, 7, 6, 3\]"):
        imported(net.to_bytes(made))


@pytest.mark.parametrize(("code", "place"), [("SPLIT", 0), ("EXPAND_DIMS", 1), ("PADV2", 2)])
def test_one_number_that_is_none_or_many(code: str, place: int) -> None:
    for count in (0, 2):
        net = Net()
        inputs = [net.picture, net.constant(np.zeros((4, 2), np.int32))]
        inputs.insert(place, net.constant(np.ones(count, np.int32)))
        made = net.op(code, inputs[:2] if place < 2 else inputs, PICTURE)
        with pytest.raises(ModelError, match=f"{code} .*numbers"):
            imported(net.to_bytes(made))


def test_pads_of_no_number() -> None:
    net = Net()
    parts = [net.picture, net.constant(np.zeros((4, 2), np.int32)), net.constant(np.float32([np.nan]))]
    with pytest.raises(UnsupportedError, match="it pads with nan"):
        imported(net.to_bytes(net.op("PADV2", parts, PICTURE)))
