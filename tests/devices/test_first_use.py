"""Wheels from an index of the user's own: fetched once, recorded by sha256, refused when they change."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenet.devices import first_use
from edgenet.devices.digests import parsed
from edgenet.devices.first_use import kept, take
from edgenet.devices.index import Index
from edgenet.devices.platform import Platform
from edgenet.errors import DeviceError
from edgenet.files import file_digest

PI = Platform("3.11", "armv7l", "2.34")
NEED = ["tiny>=1.0,<2"]
NAME = "tiny-1.5-cp311-cp311-linux_armv7l.whl"


def wheel(folder: Path, says: str, name: str = NAME) -> Path:
    """As indexes for 32-bit boards have them: without a manylinux tag."""
    (folder / "tiny").mkdir(parents=True, exist_ok=True)
    path = folder / "tiny" / name
    version, tag = name.split("-", 2)[1], name.removesuffix(".whl").split("-", 2)[2]
    with zipfile.ZipFile(path, "w") as archive:
        about = f"tiny-{version}.dist-info"
        for member, text in {
            "tiny.py": f"print({says!r})\n",
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
            f"{about}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
            f"{about}/RECORD": "",
        }.items():
            archive.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), text)
    links = [f'<a href="{item.name}">{item.name}</a>' for item in path.parent.glob("*.whl")]
    (path.parent / "index.html").write_text("<br>".join(links), encoding="utf-8")
    return path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a simple index (PEP 503)."""

    asked: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Authorization"))
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    wheel(tmp_path / "simple", "first")
    wheel(tmp_path / "simple", "too new", "tiny-2.0-cp311-cp311-linux_armv7l.whl")
    wheel(tmp_path / "simple", "of another machine", "tiny-1.6-cp311-cp311-linux_aarch64.whl")
    return tmp_path / "simple"


@pytest.fixture
def served(folder: Path) -> Iterator[Index]:
    """The folder as an index on loopback that wants a password."""
    handler = functools.partial(Handler, directory=str(folder))
    Handler.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Index.parse(f"http://me:secret@127.0.0.1:{server.server_port}/")
        server.shutdown()


def test_taken_once_recorded_and_kept(folder: Path, served: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    commands, run = [], subprocess.run

    def running(command: list[str], **options: object) -> object:
        commands.append(" ".join(command))
        return run(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", running)
    assert not kept(NEED, PI)
    (got,) = take(NEED, PI, served)
    assert got.name == NAME, "the newest that fits the bounds and the machine"
    record = first_use._record()
    assert parsed(record.read_text(), "") == {NAME: file_digest(folder / "tiny" / NAME)}
    assert any(said and said.startswith("Basic ") for said in Handler.asked)
    assert "secret" not in " ".join(commands), "any user here can read command lines"
    assert kept(NEED, PI)
    assert take(NEED, PI, None) == [got], "later without an index"
    assert len(commands) == 1


def test_another_wheel_later_is_a_named_refusal(folder: Path) -> None:
    index = Index.parse(folder.as_uri())
    take(NEED, PI, index)
    wheel(folder, "second")
    take(NEED, PI, index)
    other = Platform("3.11", "armv7l", "2.36")  # another kind of board, to which it is new
    with pytest.raises(
        DeviceError, match=f"{NAME} from file:.* has another sha256 than when it was first used"
    ):
        take(NEED, other, index)
    assert not kept(NEED, other)
    record = first_use._record()
    record.write_text("")
    (got,) = take(NEED, other, index)
    assert file_digest(got) == file_digest(folder / "tiny" / NAME), "the remedy is one"


@pytest.mark.parametrize("again", ["same", "other"])
def test_the_cache_is_not_believed_either(folder: Path, again: str) -> None:
    index = Index.parse(folder.as_uri())
    (got,) = take(NEED, PI, index)
    got.write_bytes(b"changed")
    with pytest.raises(DeviceError, match="another sha256"):
        take(NEED, PI, None)
    if again == "other":
        wheel(folder, "second")
        with pytest.raises(DeviceError, match="another sha256"):
            take(NEED, PI, index)
        return
    (mended,) = take(NEED, PI, index)
    assert file_digest(mended) == file_digest(folder / "tiny" / NAME)


def test_a_damaged_record_trusts_nothing(folder: Path) -> None:
    index = Index.parse(folder.as_uri())
    take(NEED, PI, index)
    first_use._record().write_text("nonsense\n")
    with pytest.raises(DeviceError, match="is damaged"):
        take(NEED, PI, index)


def test_what_the_index_lacks_is_said_without_the_password(served: Index, folder: Path) -> None:
    shutil.rmtree(folder / "tiny")
    with pytest.raises(DeviceError) as caught:
        take(NEED, PI, served)
    assert "cannot fetch tiny>=1.0,<2 for Python 3.11, armv7l, glibc 2.34 from http://127.0.0.1:" in str(
        caught.value
    )
    assert "secret" not in str(caught.value)
    with pytest.raises(DeviceError, match="was not taken from an index before"):
        take(NEED, PI, None)


def test_a_signed_link_that_fails_is_said_without_its_signature(served: Index, folder: Path) -> None:
    (folder / "tiny" / "index.html").write_text(f'<a href="gone/{NAME}?signature=s3cret">{NAME}</a>')
    with pytest.raises(DeviceError) as caught:
        take(NEED, PI, served)
    assert NAME in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pw@host:8080/simple/", "https://host:8080/simple/"),
        ("http://[::1]:80/x?token=1", "http://[::1]:80/x"),
        ("file:///srv/wheels", "file:///srv/wheels"),
    ],
)
def test_addresses_are_shown_without_passwords(text: str, shown: str) -> None:
    assert Index.parse(text).shown == shown


@pytest.mark.parametrize(
    "text", ["simple", "ftp://h/x", "https://", "https:///x", "https://h x", "https://h\n--foo", "file://h/x",
             "https://h:99999/", "https://[::1/", "--index-url=x"],
)  # fmt: skip
def test_what_is_no_address_is_refused_unrepeated(text: str) -> None:
    with pytest.raises(DeviceError, match="is not the address of one") as caught:
        Index.parse(text)
    assert not text or text == "simple" or repr(text) not in str(caught.value)
