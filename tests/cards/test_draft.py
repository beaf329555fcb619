"""What a card is written as is read as what was meant, whatever stands in it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from edgenet.card import ModelCard, read_card
from edgenet.cards.draft import Draft, Line
from edgenet.preprocessing import Preprocessing
from edgenet.task import load_task
from edgenet.text import UNPRINTABLE

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAME = TEXT.filter(lambda text: text.strip() and not UNPRINTABLE.search(text) and len(text) < 200)
NUMBER = st.floats(-1e6, 1e6)
POSITIVE = st.floats(1e-3, 1e6)


@given(st.dictionaries(st.sampled_from(["labels", "output"]), st.lists(TEXT) | TEXT), TEXT, TEXT, TEXT)
def test_any_text_stays_within_its_key(values: dict[str, object], title: str, why: str, above: str) -> None:
    size = {"size": Line([224, 224], why, (above,)), "mean": Line([0.1, 1e-7, 3.0], why)}
    text = Draft((title,), {key: Line(item, why, (above,)) for key, item in values.items()}, size).text()
    table = tomllib.loads(text)
    inner = table.pop("preprocessing")
    assert table == values
    assert inner == {"size": [224, 224], "mean": [0.1, 1e-7, 3.0]}


def test_an_address_is_never_broken() -> None:
    address = "https://edgenet-toolkit.github.io/edgenet/preprocessing/"
    for before in range(0, 110, 7):
        line = " ".join(["x" * before, address])
        text = Draft((line,), {}, {"size": Line([8, 8], "", (line,))}).text()
        assert text.count(address) == 2


@given(
    st.lists(NAME, max_size=30), st.tuples(NUMBER, NUMBER, NUMBER), st.tuples(POSITIVE, POSITIVE, POSITIVE),
    st.sampled_from(["rgb", "bgr"]), st.sampled_from(["stretch", "short-side", "none"]),
)  # fmt: skip
def test_a_card_is_read_as_it_was_written(
    labels: list[str], mean: tuple[float, ...], std: tuple[float, ...], color: str, resize: str
) -> None:
    how = Preprocessing(
        (64, 48),
        color,
        resize,
        70 if resize == "short-side" else None,
        "bilinear",
        mean,
        std,  # type: ignore[arg-type]
    )
    card = ModelCard(load_task("classification")("probabilities", tuple(labels), 1), how)
    with TemporaryDirectory() as folder:
        assert read_card(card.write(Path(folder) / "m.toml")) == card
