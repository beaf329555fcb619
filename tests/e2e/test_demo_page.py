"""The demo in a real browser, through a real sshd: what a user sees, presses and gets."""

from __future__ import annotations

import base64
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from edgenet.agent.demo.sources.synthetic import TURN
from edgenet.library import image_folder
from edgenet.zoo.signs import LABELS
from tests import sshd
from tests.axe import violations

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright")
cv2 = pytest.importorskip("cv2", reason="no OpenCV")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian: apt install chromium)"),
]


# Mean difference of the picture in the page and the frame that was answered last, levels.
DIFFERENCE = """async () => {
  const pixels = picture => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 640, height: 480});
    const context = canvas.getContext("2d"); context.drawImage(picture, 0, 0);
    return context.getImageData(0, 0, 640, 480).data;
  };
  const frame = await createImageBitmap(await (await ask("/frame")).blob());
  const [seen, last] = [pixels(document.getElementById("img")), pixels(frame)];
  return seen.reduce((sum, value, index) => sum + Math.abs(value - last[index]), 0) / seen.length;
}"""


# Chromium's own moving picture in place of a camera, and nobody to ask whether it may be used.
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
# Hands a file over as somebody does who drops or pastes it.
HAND_OVER = """([how, name, type, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name, {type}));
  dispatchEvent(how === "drop" ? new DragEvent("drop", {dataTransfer: data, cancelable: true})
                               : new ClipboardEvent("paste", {clipboardData: data}));
}"""
COUNT_TRACKS = """() => {
  const media = navigator.mediaDevices, real = media.getUserMedia.bind(media);
  window.tracks = [];
  media.getUserMedia = async wanted => {
    const found = await real(wanted);
    tracks.push(...found.getTracks());
    return found;
  };
}"""
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PICTURE = sorted(image_folder("signs", "val").glob("*.jpg"))[0]


class Demo:
    """A running ``edgenet demo --device board``."""

    def __init__(self, board: sshd.Board, folder: Path, *more: str) -> None:
        self.keep, self.home, self.opened = folder / "kept", folder / "home", folder / "opened.json"
        self.home.mkdir()
        programs = browser_double(folder / "programs", self.opened)
        more += ("--open", "--keep", str(self.keep), "--answers", str(folder / "answers.jsonl"))
        self.board = board
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edgenet", "demo", "--device", "board", "--json", *more],
            env={
                **os.environ,
                "HOME": str(self.home),
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "EDGENET_SSH": board.ssh,
                "EDGENET_CACHE": str(folder / "cache"),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(r"metrics  (\S+)/metrics .*Bearer (\S+)\)", line):
                self.base, self.key = found[1], found[2]
                break
        page = re.search(r"page     (\S+)", "".join(said))
        assert page, "".join(said)
        self.url = page[1]

    def end(self) -> dict[str, Any]:
        """Ctrl-C; the summary."""
        self.process.send_signal(signal.SIGINT)
        out, errors = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, errors
        return dict(json.loads(out))


def browser_double(programs: Path, log: Path) -> Path:
    """A folder with an ``xdg-open`` that writes down how it was started, and what it was to open."""
    programs.mkdir()
    program = programs / "xdg-open"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\nfrom pathlib import Path\n"
        "path = Path(sys.argv[1])\n"
        "modes = [oct(item.stat().st_mode & 0o777) for item in (path, path.parent)]\n"
        f"log = Path({str(log)!r})\n"
        "log.with_suffix('.new').write_text(json.dumps([sys.argv, path.read_text(), modes]))\n"
        "log.with_suffix('.new').replace(log)\n"
    )
    program.chmod(0o755)
    return programs


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if reason := sshd.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("demo")
    with sshd.start(folder / "board", {"EDGENET_PYTHON": sys.executable}) as board:
        running = Demo(board, folder)
        yield running
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


@pytest.fixture(scope="module")
def page(demo: Demo) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *FAKE_CAMERA])
        page = browser.new_context(viewport={"width": 1360, "height": 850}).new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(demo.url)
        yield page
        browser.close()


def state(page: Any) -> dict[str, Any]:
    return dict(page.evaluate("ask('/state').then(answer => answer.json())"))


def nothing_on_its_way(page: Any) -> dict[str, Any] | None:
    """The state, where the demo is paused and every frame that was captured was answered or dropped."""
    found = state(page)
    counts = found["counts"]
    through = counts["answered"] + counts["damaged"] + found["dropped"]
    # Asked again: a frame is counted a moment before it is the last one.
    return state(page) if found["paused"] and counts["captured"] == through else None


def wait(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The condition's value when it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return value


@pytest.mark.skipif(sys.platform != "linux", reason="xdg-open is Linux's")
def test_the_browser_is_started_without_a_secret_in_its_arguments(demo: Demo) -> None:
    """Every user reads every program's arguments; the file that they name is this user's alone."""
    wait(demo.opened.exists)
    arguments, content, modes = json.loads(demo.opened.read_text())
    token = demo.url.partition("#")[2]
    assert len(token) > 16
    assert not [text for text in arguments if token in text or demo.key in text]
    assert demo.url in content
    assert modes == ["0o600", "0o700"]
    assert arguments[1].startswith(str(demo.home))


def test_the_file_is_gone_when_the_page_is_there(page: Any, demo: Demo) -> None:
    page.wait_for_selector(".chip")
    wait(lambda: not list(demo.home.glob("edgenet-*")))


def test_the_page_shows_frames_that_advance(page: Any) -> None:
    page.wait_for_selector(".chip")
    assert page.url.endswith("/"), "the token is not in the address any more"
    assert page.context.cookies() == []
    assert wait(lambda: page.evaluate("document.getElementById('img').naturalWidth")) == 640
    first = state(page)["frame"]
    wait(lambda: state(page)["frame"] > first + 10)
    assert page.text_content("#status") == "live"
    wait(lambda: page.text_content("#sizes"))
    assert page.text_content("#sizes") == "640×480 rgb → 96×96"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors == []


def test_the_right_sign_is_named(page: Any) -> None:
    seen = set()

    def named() -> bool:
        found = state(page)
        expected = LABELS[found["frame"] // TURN % len(LABELS)]
        assert [model["top"][0][0] for model in found["models"]] == [expected] * 2
        seen.add(expected)
        return len(seen) >= 2

    wait(named, 60)


def test_pause_holds_the_frame_and_its_label(page: Any) -> None:
    page.keyboard.press(" ")
    page.wait_for_selector("#held:not([hidden])")
    held = wait(lambda: nothing_on_its_way(page))
    page.wait_for_timeout(300)
    assert state(page)["frame"] == held["frame"]
    label = held["models"][0]["top"][0][0]
    wait(lambda: page.text_content(".chip").startswith(label))
    wait(lambda: page.evaluate(DIFFERENCE) < 2)  # the picture that is seen is the one that the label is of
    page.click("#pause")
    wait(lambda: state(page)["frame"] > held["frame"])


def test_a_snapshot_is_kept_with_both_answers(page: Any, demo: Demo) -> None:
    page.click("#snapshot")
    page.wait_for_selector("#toast.on:has-text('saved')")
    picture = wait(lambda: list(demo.keep.glob("snapshots/snapshot-*.png")))[0]
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    kept = json.loads(wait(lambda: list(demo.keep.glob("snapshots/*.json")))[0].read_text())
    expected = LABELS[kept["frame"] // TURN % len(LABELS)]
    assert [answer["top"][0][0] for answer in kept["answers"]] == [expected] * 2


def test_recorded_frames_are_a_calibration_folder(page: Any, demo: Demo) -> None:
    from edgenet.imageset import ImageSet

    page.keyboard.press("r")
    wait(lambda: len(list(demo.keep.glob("drift/*.png"))) >= 2)
    page.keyboard.press("r")
    assert len(ImageSet.load(demo.keep / "drift")) >= 2


def hand_over(page: Any, how: str, name: str, kind: str, data: bytes) -> str:
    """Drop or paste a file; what the page says when it is answered or refused."""
    page.evaluate("tell('')")
    page.evaluate(HAND_OVER, [how, name, kind, base64.b64encode(data).decode()])
    return str(wait(lambda: (told := page.text_content("#told")) and "Asking" not in told and told))


@pytest.mark.parametrize("how", ["choose", "drop", "paste"])
def test_an_own_picture_is_answered_by_both_models(page: Any, how: str) -> None:
    if how == "choose":
        page.set_input_files("#file", PICTURE)
        page.wait_for_selector("#told:has-text('128×128')")
    else:
        hand_over(page, how, PICTURE.name, "image/jpeg", PICTURE.read_bytes())
    answer = page.evaluate("own.answer")
    tops = [model["top"][0] for model in answer["models"]]
    assert len(tops) == 2
    told = page.text_content("#told")
    assert told.startswith(f"{PICTURE.name}: {tops[0][0]}, ")
    assert "128×128" in told
    assert tops[0][0] in page.locator(".chip").first.inner_text()
    assert page.text_content("#whose") == "Answers to your picture"
    assert page.evaluate("$('img').naturalWidth") == 128
    if how == "paste":
        assert violations(page) == []
    page.keyboard.press("Escape")
    page.wait_for_selector("#whose:text-is('Answers')")
    assert page.evaluate("own") is None


@pytest.mark.parametrize(
    ("name", "kind", "data", "why"),
    [
        ("notes.txt", "text/plain", b"hello", "notes.txt is not a picture that this browser can read"),
        ("cut.jpg", "image/jpeg", PICTURE.read_bytes()[:1500], "cut.jpg is not a picture that this browser"),
        (
            "image.jpg",
            "image/jpeg",
            GIF,
            "The board cannot use this picture: it is neither a JPEG nor a PNG.",
        ),
    ],
)
def test_what_is_no_picture_is_a_sentence_on_the_page(
    page: Any, name: str, kind: str, data: bytes, why: str
) -> None:
    assert why in hand_over(page, "drop", name, kind, data)
    assert page.get_attribute("#told", "class") == "told bad"
    assert page.evaluate("own") is None


def test_a_large_picture_of_another_kind_is_sent_as_a_jpeg_and_the_page_says_so(page: Any) -> None:
    image = cv2.imencode(".bmp", np.full((200, 2400, 3), 90, np.uint8))[1].tobytes()
    told = hand_over(page, "drop", "large.bmp", "image/bmp", image)
    assert told.endswith("It was sent as a JPEG of 1920×160, because it is neither JPEG nor PNG.")
    page.click("#back")
    assert page.evaluate("own") is None


def test_the_camera_of_this_browser_is_answered_until_it_is_turned_off(page: Any) -> None:
    """Also where the button is pressed again while the browser still asks: one camera runs, not two."""
    page.evaluate(COUNT_TRACKS)
    page.evaluate("Promise.all([startCamera(), startCamera()])")
    assert page.evaluate("tracks.map(track => track.readyState).sort()") == ["ended", "live"]
    page.evaluate("window.before = null")
    for _ in range(2):
        wait(lambda: page.evaluate("own && own.url !== before && (before = own.url)"))
    assert page.get_attribute("#camera", "aria-pressed") == "true"
    assert len(page.evaluate("own.answer.models.map(model => model.top[0][0])")) == 2
    track = page.evaluate_handle("camera.media.getTracks()[0]")
    page.click("#camera")
    assert page.evaluate("own") is None
    assert track.evaluate("track => track.readyState") == "ended", "its light goes out"


def test_the_sources_that_the_board_has_and_why_it_lacks_others(page: Any) -> None:
    assert "synthetic camera" in page.locator("#sources option").all_inner_texts()
    assert page.input_value("#sources") == "synthetic"
    lacking = page.evaluate("Object.fromEntries(lacking)")
    assert lacking["Jetson CSI camera"] == "not a Jetson, or gst-launch-1.0 is not installed"
    page.click("#lacking summary")
    assert "not a Jetson, or" in page.inner_text("#absent")
    assert page.evaluate("act({do: 'source', id: '/etc/passwd'})") is None
    page.wait_for_selector("#toast.on:has-text('the board has no such source')")


def test_the_last_seconds_are_a_video(page: Any, tmp_path: Path) -> None:
    """By the keyboard: what has the focus is pressed by the space bar, which else is Pause."""
    page.focus("#clip")
    with page.expect_download() as download:
        page.keyboard.press(" ")
    download.value.save_as(tmp_path / "clip.avi")
    assert not state(page)["paused"]
    video = cv2.VideoCapture(str(tmp_path / "clip.avi"))
    assert video.read()[1].shape == (480, 640, 3)
    assert 2 <= video.get(cv2.CAP_PROP_FRAME_COUNT) <= 152
    assert 1 <= video.get(cv2.CAP_PROP_FPS) <= 31
    page.evaluate("document.activeElement.blur()")


def test_where_collected_images_go_and_how_many_they_are(page: Any, demo: Demo) -> None:
    count = state(page)["saved"]["drift"]
    told = page.text_content("#collecting")
    assert told.startswith(
        f"Collected {count} images in {demo.keep / 'drift'} on the computer that runs edgenet"
    )


def test_everybody_can_use_it(page: Any) -> None:
    """axe-core, in light and in dark; the charts in words."""
    assert violations(page) == []
    for chart, name in (("#fpschart", "Frames a second"), ("#agechart", "Glass to label")):
        said = wait(lambda chart=chart: " now, least " in page.get_attribute(chart, "aria-label"))
        assert said
        assert page.get_attribute(chart, "aria-label").startswith(name + ", the last ")


def test_switching_models(page: Any) -> None:
    for key, mode, *asked in (("1", "a", True, False), ("2", "b", False, True), ("3", "both", True, True)):
        page.keyboard.press(key)
        found = wait(
            lambda mode=mode, asked=asked: (
                (found := state(page))["mode"] == mode
                and [model["top"] is not None for model in found["models"]] == asked
                and found
            )
        )
        assert found["mode"] == mode
        page.wait_for_selector(f"#modes button[data-mode={mode}][aria-pressed=true]")


def test_three_viewers_two_of_them_stalled_do_not_hold_the_model_up(page: Any, demo: Demo) -> None:
    """Nobody reads what they are sent, until nothing more fits between them and the board."""
    port = int(demo.base.rpartition(":")[2])
    viewers = []
    for _ in range(2):
        viewer = socket.create_connection(("127.0.0.1", port), 5)
        ask = f"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {demo.key}\r\n\r\n"
        viewer.sendall(ask.encode())
        viewers.append(viewer)
    wait(lambda: state(page)["viewers"] == 3)
    before = state(page)["counts"]["answered"]
    wait(lambda: state(page)["counts"]["answered"] > before + 40, 60)
    for viewer in viewers:
        viewer.close()
    wait(lambda: state(page)["viewers"] == 1, 40)  # at the latest when what is stalled is let go


def test_metrics_are_there_for_the_bearer_only(page: Any, demo: Demo) -> None:
    request = page.context.browser.new_context().request
    assert request.get(demo.base + "/metrics").status == 403
    text = request.get(demo.base + "/metrics", headers={"Authorization": f"Bearer {demo.key}"}).text()
    assert float(re.search(r"^edgenet_camera_fps (\S+)$", text, re.MULTILINE)[1]) > 0


def test_a_phone_fits(page: Any) -> None:
    path = page.evaluate("act({do: 'link'})")["path"]
    context = page.context.browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    phone = context.new_page()
    phone.goto(page.url.rstrip("/") + path)
    phone.wait_for_selector(".chip")
    assert phone.url == page.url
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert phone.evaluate("document.getElementById('pause').getBoundingClientRect().bottom <= innerHeight")
    assert violations(phone) == []
    context.close()


def test_pictures_come_again_after_the_stream_broke(page: Any, demo: Demo) -> None:
    seen = "document.getElementById('img').src"
    page.evaluate("(window.broken = reader).cancel()")
    wait(lambda: page.evaluate("reader !== broken"))
    before = page.evaluate(seen)
    wait(lambda: page.evaluate(seen) != before)


def test_a_reload_needs_no_new_address(page: Any) -> None:
    page.reload()
    page.wait_for_selector(".chip")
    assert page.errors == []


def test_another_tab_is_locked_until_it_has_an_address_of_its_own(page: Any) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("text=This page is locked")
    assert other.evaluate("document.getElementById('img').naturalWidth") == 0
    path = page.evaluate("act({do: 'link'})")["path"]
    other.goto(page.url.rstrip("/") + path)  # only what is behind the # changes
    other.wait_for_selector(".chip")
    other.close()
    again = page.context.new_page()
    again.goto(page.url.rstrip("/") + path)
    again.wait_for_selector("text=this address was used already")
    again.close()


class Listener(http.server.BaseHTTPRequestHandler):
    """Another port of 127.0.0.1: what a browser brings there."""

    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.heard.append(str(self.headers))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>other</title>")

    def log_message(self, *arguments: Any) -> None:
        pass


def test_a_page_of_another_port_gets_nothing(page: Any, demo: Demo) -> None:
    """Neither from what the browser sends there, nor by asking for the picture from there."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        other = page.context.new_page()
        other.goto(f"http://127.0.0.1:{server.server_port}/")
        assert Listener.heard
        assert not [text for text in Listener.heard if demo.key in text or "cookie" in text.lower()]
        for options in ("{}", "{headers: {Authorization: 'Bearer x'}}", "{credentials: 'include'}"):
            asked = f"fetch('{demo.base}/frame', {options}).then(answer => answer.status, String)"
            assert "Failed to fetch" in str(other.evaluate(asked))
        shown = f"""new Promise(done => {{ const image = new Image();
          image.onload = () => done("shown"); image.onerror = () => done("refused");
          image.src = "{demo.base}/frame" }})"""
        assert other.evaluate(shown) == "refused"
        opened = f"fetch('{demo.base}/frame', {{mode: 'no-cors'}}).then(answer => answer.type, String)"
        assert other.evaluate(opened) != "basic"
        assert other.evaluate("sessionStorage.length") == 0
        other.close()
    finally:
        server.shutdown()
        server.server_close()


def test_the_file_that_leads_to_the_page_opens_it(page: Any, tmp_path: Path, monkeypatch: Any) -> None:
    from edgenet.cli.shared import browser

    monkeypatch.setenv("HOME", str(tmp_path))
    launched: list[str] = []
    monkeypatch.setattr(browser.click, "launch", lambda path: launched.append(path) or 0)
    path = page.evaluate("act({do: 'link'})")["path"]
    with browser.Browser() as opener:
        assert opener.open(page.url.rstrip("/") + path)
        other = page.context.new_page()
        other.goto(Path(launched[0]).as_uri())
        other.wait_for_selector(".chip")
        assert other.url == page.url
        other.close()


def test_silent_connections_through_ssh_leave_the_page_usable(page: Any, demo: Demo) -> None:
    port, held = int(demo.base.rpartition(":")[2]), []
    try:
        for _ in range(300):
            held.append(socket.create_connection(("127.0.0.1", port), 5))
        path = page.evaluate("act({do: 'link'})")["path"]
        other = page.context.new_page()
        other.goto(page.url.rstrip("/") + path)
        other.wait_for_selector(".chip")
        first = state(other)["frame"]
        wait(lambda: state(other)["frame"] > first)
        other.close()
    finally:
        for connection in held:
            connection.close()


def test_the_end(page: Any, demo: Demo) -> None:
    """Ctrl-C: a summary that adds up, nothing left on the board, and the page says so."""
    summary = demo.end()
    frames, stages = summary["frames"], summary["stages_ms"]
    assert frames["captured"] >= frames["answered"] > 100
    parts = sum(stages[name]["mean"] for name in ("capture", "wait", "pre", "invoke", "post"))
    assert parts == pytest.approx(summary["glass_to_label_ms"]["mean"], rel=1e-3)
    assert summary["kept"]["snapshots"] == 1
    lines = [json.loads(line) for line in (demo.keep.parent / "answers.jsonl").read_text().splitlines()]
    assert len(lines) == frames["answered"]
    expected = [LABELS[line["frame"] // TURN % len(LABELS)] for line in lines]
    named = [next(top for top in line["tops"] if top)[0][0] for line in lines]
    assert sum(a == b for a, b in zip(named, expected, strict=True)) / len(lines) >= 0.99
    page.wait_for_selector("text=The demo has ended", timeout=10000)
    wait(lambda: not demo.board.sessions())
