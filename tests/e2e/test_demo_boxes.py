"""A detector's demo in a real browser, through a real sshd: boxes over the picture, kept and streamed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests import sshd
from tests.e2e.test_demo_page import CHROMIUM, Demo, nothing_on_its_way, state, sync_api, wait

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian: apt install chromium)"),
]

# Whether each of the first model's boxes has a line of its color at its left edge, the second's put away.
DRAWN = """() => {
  const canvas = document.getElementById("boxes"), pen = canvas.getContext("2d");
  const {width, height} = canvas;
  pictured.boxes[1] = null; drawBoxes();
  return pictured.boxes[0].map(([, , x0, y0, x1, y1]) => {
    const y = Math.round((y0 + y1) / 2 * height), left = Math.round(x0 * width);
    const line = pen.getImageData(Math.max(left - 3, 0), y, 7, 1).data;
    return [...Array(7).keys()].some(index =>
      [45, 212, 191].every((value, channel) => Math.abs(value - line[4 * index + channel]) < 40));
  });
}"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if reason := sshd.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("boxes")
    with sshd.start(folder / "board", {"EDGENET_PYTHON": sys.executable}) as board:
        running = Demo(board, folder, "--task", "detection")
        yield running
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


def shown(page: Any) -> list[Any]:
    """The first model's boxes, where both models have some."""
    boxes = [model["boxes"] for model in state(page)["models"]]
    return boxes[0] if all(boxes) else []


def still(page: Any) -> bool:
    """Whether the demo is paused, no frame is on its way any more, and the page shows the last one."""
    found = nothing_on_its_way(page)
    return found is not None and found["frame"] == page.evaluate("pictured.frame")


def stopped_on_boxes(page: Any) -> list[Any]:
    """Pause where both models have boxes; those of the first."""
    for _ in range(10):
        page.keyboard.press(" ")
        wait(lambda: still(page))
        if boxes := shown(page):
            return boxes
        page.keyboard.press(" ")
        wait(lambda: shown(page))
    raise AssertionError("never paused on a frame with boxes")


def test_boxes_are_drawn_kept_and_streamed(demo: Demo) -> None:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1360, "height": 850}).new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(demo.url)
        page.wait_for_selector(".chip")  # it has entered
        wait(lambda: shown(page))
        boxes = stopped_on_boxes(page)
        assert page.evaluate("pictured.boxes[0]") == boxes
        assert page.evaluate(DRAWN) == [True] * len(boxes)
        label, score, *box, points = boxes[0]
        assert label in page.locator("#tag").inner_text()
        assert 0.5 < score <= 1
        assert 0 <= box[0] < box[2] <= 1
        assert 0 <= box[1] < box[3] <= 1
        assert points == []
        page.keyboard.press("s")
        (kept,) = wait(lambda: list(demo.keep.glob("snapshots/*.json")))
        assert json.loads(kept.read_text())["answers"][0]["boxes"] == boxes
        assert errors == []
        browser.close()
    summary = demo.end()
    lines = [json.loads(line) for line in (demo.keep.parent / "answers.jsonl").read_text().splitlines()]
    assert summary["frames"]["answered"] >= len(lines) > 0
    assert all(len(line["boxes"]) == 2 for line in lines)
