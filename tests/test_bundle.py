"""Bundles: the same bytes for the same inputs, and nothing believed that was not checked."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet import bundle
from edgenet.arrays import array_bytes
from edgenet.bundle import Bundle, pack
from edgenet.errors import BundleError
from tests.manifests import manifest

MANIFEST = manifest()
FILES = {
    "model.tflite": b"artifact" * 100,
    "reference.onnx": b"reference",
    "golden/00.jpg": b"\xff\xd8",
    "golden/reference.npy": array_bytes(np.arange(6, dtype=np.float32).reshape(2, 3)),
}


def rezip(data: bytes, change: dict[str, bytes | None], rename: dict[str, str] | None = None) -> bytes:
    """The same zip with some entries replaced, dropped (None), added or renamed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if content is not None:
                new.writestr((rename or {}).get(name, name), content)
        for name in change.keys() - set(old.namelist()):
            new.writestr(name, change[name] or b"")
    return buffer.getvalue()


def remanifest(data: bytes, **changes: object) -> bytes:
    whole = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("manifest.json"))
    whole.update(changes)
    return rezip(data, {"manifest.json": json.dumps(whole).encode()})


def test_there_and_back() -> None:
    data = pack(MANIFEST, FILES)
    made = Bundle.parse(data)
    assert dict(made.files) == FILES
    assert made.artifact == FILES["model.tflite"]
    assert made.name == "m.tflite.int8"
    assert made.array("golden/reference.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert zipfile.ZipFile(io.BytesIO(data)).namelist()[0] == "manifest.json"


def test_same_inputs_same_bytes_in_any_order() -> None:
    backwards = dict(reversed(FILES.items()))
    assert pack(MANIFEST, FILES) == pack(dict(reversed(MANIFEST.items())), backwards)


def test_the_digest_names_the_contents() -> None:
    other = pack(MANIFEST, {**FILES, "golden/00.jpg": b"\xff\xd9"})
    assert Bundle.parse(other).digest != Bundle.parse(pack(MANIFEST, FILES)).digest


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: b"", "not an .edgenet bundle"),
        (lambda d: b"PK\x03\x04 nothing", "not an .edgenet bundle"),
        (lambda d: d[: len(d) // 2], "not an .edgenet bundle"),
        (lambda d: rezip(d, {"model.tflite": b"x" * 800}), "model.tflite has another digest"),
        (lambda d: rezip(d, {"model.tflite": b"short"}), "model.tflite has another size"),
        (lambda d: rezip(d, {"model.tflite": None}), "contents and manifest differ"),
        (lambda d: rezip(d, {"extra": b"1"}), "contents and manifest differ"),
        (lambda d: rezip(d, {"manifest.json": b"{"}), "manifest.json is not JSON"),
        (lambda d: rezip(d, {"manifest.json": None}), "does not begin with manifest.json"),
        (lambda d: remanifest(d, schema=2), "schema 2, this edgenet reads 1"),
        (lambda d: remanifest(d, files=[]), "lists no files"),
        (lambda d: rezip(d, {}, {"golden/00.jpg": "../../evil"}), "unsafe file name '../../evil'"),
        (lambda d: rezip(d, {}, {"golden/00.jpg": "/etc/passwd"}), "unsafe file name"),
        (lambda d: rezip(d, {}, {"golden/00.jpg": "a\\..\\b"}), "unsafe file name"),
        (lambda d: rezip(d, {}, {"golden/00.jpg": "C:x"}), "unsafe file name"),
    ],
)
def test_damaged_foreign_and_hostile(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BundleError, match=message):
        Bundle.parse(make(pack(MANIFEST, FILES)))


def test_entries_say_nothing_of_the_machine_that_made_them() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(MANIFEST, FILES))) as archive:
        assert archive.read("manifest.json").startswith(b'{\n "artifact": {\n  "build"')
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.create_system, entry.external_attr) == (3, 0o644 * 65536)
            stored = entry.filename.endswith(".jpg")
            assert entry.compress_type == (zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)


def test_the_limits_are_those_of_the_page() -> None:
    """docs/bundle.md: 512 MiB a file, 4096 files, 1 GiB together."""
    assert (bundle.MAX_FILE, bundle.MAX_FILES, bundle.MAX_ALL) == (536_870_912, 4096, 1_073_741_824)


@pytest.mark.parametrize(
    ("limit", "most", "message"),
    [
        ("MAX_FILE", 800, "model.tflite has another size"),
        ("MAX_FILES", 4, "lists no files"),
        ("MAX_ALL", 0, "its files are over 0 MB together"),
    ],
)
def test_what_is_as_large_as_a_limit_passes(
    limit: str, most: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pack(MANIFEST, FILES)
    if limit == "MAX_ALL":
        most = sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(data)).infolist())
    monkeypatch.setattr(bundle, limit, most)
    assert dict(Bundle.parse(data).files) == FILES
    monkeypatch.setattr(bundle, limit, most - 1)
    with pytest.raises(BundleError, match=message):
        Bundle.parse(data)


def test_the_limit_of_all_files_is_told_in_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_ALL", 3 << 20)
    with pytest.raises(BundleError, match="over 3 MB together"):
        Bundle.parse(pack(MANIFEST, {**FILES, "model.tflite": bytes(4 << 20)}))


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_a_manifest_has_up_to_16_mebibytes(more: int, fits: bool) -> None:
    data = pack(MANIFEST, FILES)
    text = zipfile.ZipFile(io.BytesIO(data)).read("manifest.json")
    padded = rezip(data, {"manifest.json": text.ljust((16 << 20) + more)})
    if fits:
        assert dict(Bundle.parse(padded).files) == FILES
    else:
        with pytest.raises(BundleError, match="does not begin with manifest.json"):
            Bundle.parse(padded)


def test_a_name_that_comes_twice_is_refused() -> None:
    buffer = io.BytesIO(pack(MANIFEST, FILES))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("reference.onnx", b"another")
    with pytest.raises(BundleError, match=r"contents and manifest differ \(a name twice\)"):
        Bundle.parse(buffer.getvalue())


def test_a_bundle_shows_itself_in_a_line() -> None:
    made = Bundle.parse(pack(MANIFEST, FILES))
    assert repr(made) == f"<Bundle m.tflite.int8 for local, {made.size} bytes, {made.digest[:12]}>"


def test_a_missing_part_is_named() -> None:
    incomplete = {key: value for key, value in MANIFEST.items() if key != "backend"}
    with pytest.raises(BundleError, match="no 'backend'"):
        Bundle.parse(pack(incomplete, FILES))


def test_pickles_are_not_opened() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object), allow_pickle=True)
    made = Bundle.parse(pack(MANIFEST, {**FILES, "golden/reference.npy": buffer.getvalue()}))
    with pytest.raises(BundleError, match="not an array"):
        made.array("golden/reference.npy")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.load(tmp_path / "none.edgenet")


@given(st.integers(0, 10**6), st.integers(0, 255))
@settings(max_examples=300)
def test_one_changed_byte_never_passes_unseen(position: int, value: int) -> None:
    """Either it is refused, or what is read is what was written."""
    data = bytearray(pack(MANIFEST, FILES))
    data[position % len(data)] = value
    try:
        made = Bundle.parse(bytes(data))
    except BundleError:
        return
    assert dict(made.files) == FILES


@given(st.binary(max_size=400))
def test_any_bytes_are_a_bundle_or_a_bundle_error(data: bytes) -> None:
    with pytest.raises(BundleError):
        Bundle.parse(data)
