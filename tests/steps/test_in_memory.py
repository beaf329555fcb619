"""Models in memory: of PyTorch and Keras where they are installed, and of nothing that edgenet knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from edgenet.card import read_card
from edgenet.errors import ModelError
from edgenet.importers.framework.in_memory import imported
from edgenet.steps.compile import compile
from edgenet.steps.in_memory import from_memory
from tests.conftest import CARD

SIZE = (64, 64)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "card.toml"
    path.write_text(CARD)
    return path


def test_what_is_no_model_is_refused(card: Path) -> None:
    with pytest.raises(ModelError, match=r"a dict is not a model.*keras\.Model, a torch\.nn\.Module"):
        compile({}, "local", precision="fp32", preprocessing=card)


def test_a_model_in_memory_needs_a_card() -> None:
    kind = type("Model", (), {"__module__": "keras.src.models.model"})
    with pytest.raises(ModelError, match=r"the Model 'model' is not known.*card_like"):
        from_memory(kind(), None, None)
    with pytest.raises(ModelError, match="an object is not a model"):
        from_memory(object(), None, None)


def test_a_module_of_torch_compiles_and_stays_as_it_is(card: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    nn = torch.nn
    net = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), nn.AdaptiveAvgPool2d(1)),
        *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, 5)),
    ).train()
    made = from_memory(net, read_card(card), None)
    assert (made.name, made.classes) == ("sequential", 5)
    assert net.training
    pictures = np.random.default_rng(0).uniform(-1, 1, (1, 3, *SIZE)).astype(np.float32)
    session = onnxruntime.InferenceSession(imported(net, SIZE).proto.SerializeToString())
    got = session.run(None, {session.get_inputs()[0].name: pictures})[0]
    want = net.eval()(torch.from_numpy(pictures)).detach().numpy()
    np.testing.assert_allclose(got, want, atol=1e-5)
    built = compile(net, "local", precision="fp32", preprocessing=card)
    assert built.bundle.manifest.model.name == "sequential"


@pytest.mark.filterwarnings("default")
def test_a_model_of_keras_compiles(card: Path) -> None:
    keras = pytest.importorskip("keras")
    inputs = keras.Input((*SIZE, 3))
    out = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    out = keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(out))
    net = keras.Model(inputs, out, name="tiny")
    made = from_memory(net, card, None)
    assert made.name == "tiny"
    pictures = np.random.default_rng(0).uniform(-1, 1, (1, *SIZE, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(made.proto.SerializeToString())
    got = session.run(None, {session.get_inputs()[0].name: pictures.transpose(0, 3, 1, 2)})[0]
    np.testing.assert_allclose(got, np.asarray(net(pictures)), atol=1e-5)
