"""The ``.edgenet`` file: an artifact and everything that proves it, in one zip.

``manifest.json`` stands first and names every other file with its sha256 and size, so the digest of the
manifest is the digest of the bundle. The same inputs give the same bytes: entries are sorted, times are
fixed. What is read is not trusted: names, sizes and digests are checked before anything is used.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgenet.arrays import read_array
from edgenet.errors import BundleError
from edgenet.files import read_regular, sha256
from edgenet.manifest import AGAIN, Manifest
from edgenet.notebook import Shown
from edgenet.signatures.ssh_signature import MAX_SIGNATURE
from edgenet.text import cause

__all__ = ["SCHEMA", "Bundle", "pack", "signature_path"]

SCHEMA = 1
MANIFEST = "manifest.json"
MAX_FILE = 512 << 20
MAX_FILES = 4096
# What zipfile lets through for some damaged archives.
ODDITIES = (EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, KeyError, struct.error)
EPOCH = (1980, 1, 1, 0, 0, 0)
# All files of a bundle together.
MAX_ALL = 1 << 30


@dataclass(frozen=True, repr=False)
class Bundle(Shown):
    """A bundle that was read and checked.

    Attributes:
        manifest: What ``manifest.json`` says.
        digest: sha256 of ``manifest.json``: the bundle's identity.
        size: Bytes of the zip.
        files: Name → contents, every one of the digest that the manifest names.
        raw: The bytes of ``manifest.json``, which is what a signature signs.
        signature: What stands in ``FILE.edgenet.sig`` beside the file, neither trusted nor parsed yet, and no
            part of the digest; ``None`` where there is none.

    Examples:
        >>> bundle = edgenet.Bundle.load("signs.edgenet")
        >>> bundle.name, bundle.manifest.target
        ('signs.onnxruntime.int8', 'local')
    """

    manifest: Manifest
    digest: str
    size: int
    files: Mapping[str, bytes]
    raw: bytes
    signature: bytes | None = None

    @classmethod
    def load(cls, path: Path | str) -> Bundle:
        """Read and check a bundle.

        Raises:
            BundleError: Not a bundle, of another schema, damaged, or with unsafe contents; or its signature's
                file is too large or no file.
        """
        path = Path(path)
        try:
            bundle = cls.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise BundleError(f"{path}: cannot be read ({error.strerror})", "give a .edgenet file") from None
        return replace(bundle, signature=_signature(signature_path(path)))

    @classmethod
    def parse(cls, data: bytes, where: str = "bundle") -> Bundle:
        """Check the bytes of a bundle; see :meth:`load`."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                manifest, raw = _read_manifest(archive, where)
                files = {
                    name: _read_file(archive, name, item, where) for name, item in manifest["files"].items()
                }
        except (zipfile.BadZipFile, zlib.error, *ODDITIES) as error:
            raise BundleError(
                f"{where}: not an .edgenet bundle, or a damaged one ({cause(error)})", AGAIN
            ) from None
        return cls(Manifest.parse(manifest, where), sha256(raw), len(data), files, raw)

    def __repr__(self) -> str:
        return f"<Bundle {self.name} for {self.manifest.target}, {self.size} bytes, {self.digest[:12]}>"

    def _title(self) -> str:
        return self.name

    def _rows(self) -> Mapping[str, Any]:
        """What it is, for which board, and what is in it."""
        known = {"target": self.manifest.target, "digest": self.digest[:12], "made by": self.manifest.tool}
        sizes = {name: f"{item.size:,} bytes" for name, item in self.manifest.files.items()}
        golden = [name for name in sizes if name.startswith("golden/")]
        files = {name: size for name, size in sizes.items() if name not in golden}
        return {**known, **files, "golden set": f"{len(golden)} files: images, and the answers they must get"}

    @property
    def artifact(self) -> bytes:
        """The file that the board runs."""
        return self.files[self.manifest.artifact.file]

    @property
    def reference(self) -> bytes:
        """The float model as the user gave it, ONNX."""
        return self.files[self.manifest.reference.file]

    @property
    def name(self) -> str:
        """A short name: model, backend and precision."""
        return f"{self.manifest.model.name}.{self.manifest.backend}.{self.manifest.precision}"

    def array(self, name: str) -> NDArray[Any]:
        """A ``.npy`` file of the bundle.

        Raises:
            BundleError: It is not a plain array.
        """
        try:
            values = read_array(self.files[name])
        except (KeyError, ValueError) as error:
            raise BundleError(f"{name}: not an array ({cause(error)})", AGAIN) from None
        return values


def pack(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """The bytes of a bundle; ``files`` are added to the manifest with their digests and sizes."""
    listed = {name: {"sha256": sha256(data), "size": len(data)} for name, data in sorted(files.items())}
    first = json.dumps({"schema": SCHEMA, **manifest, "files": listed}, indent=1, sort_keys=True).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [(MANIFEST, first), *sorted(files.items())]:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            packed = name.endswith((".jpg", ".jpeg", ".png"))
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def signature_path(path: Path | str) -> Path:
    """Where the signature of a bundle's file lies: ``m.edgenet.sig`` beside ``m.edgenet``."""
    return Path(f"{path}.sig")


def _signature(path: Path) -> bytes | None:
    try:
        return read_regular(path, MAX_SIGNATURE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(
            f"{path}: no signature ({error.strerror})", "sign the bundle again, or remove the file"
        ) from None


def _read_manifest(archive: zipfile.ZipFile, where: str) -> tuple[dict[str, Any], bytes]:
    entries = archive.infolist()
    if not entries or entries[0].filename != MANIFEST or entries[0].file_size > 16 << 20:
        raise BundleError(f"{where}: does not begin with {MANIFEST}", "it is not a bundle in edgenet")
    raw = archive.read(entries[0])
    try:
        manifest = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: {MANIFEST} is not JSON ({cause(error)})", AGAIN) from None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        found = manifest.get("schema") if isinstance(manifest, dict) else None
        raise BundleError(
            f"{where}: schema {found!r}, this edgenet reads {SCHEMA}",
            "compile again, or use the edgenet that made it",
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or len(files) > MAX_FILES:
        raise BundleError(f"{where}: {MANIFEST} lists no files", AGAIN)
    if sum(entry.file_size for entry in entries) > MAX_ALL:
        raise BundleError(f"{where}: its files are over {MAX_ALL >> 20} MB together", "do not use this file")
    names = [entry.filename for entry in entries[1:]]
    if unsafe := next((name for name in [*names, *files] if not _safe(name)), None):
        raise BundleError(f"{where}: unsafe file name {unsafe!r}", "do not use this file")
    if sorted(names) != sorted(files):
        odd = sorted(set(names) ^ set(files)) or ["a name twice"]
        raise BundleError(f"{where}: contents and manifest differ ({odd[0]})", AGAIN)
    return manifest, raw


def _read_file(archive: zipfile.ZipFile, name: str, listed: Any, where: str) -> bytes:
    size = listed.get("size") if isinstance(listed, dict) else None
    if not isinstance(size, int) or size != archive.getinfo(name).file_size or size > MAX_FILE:
        raise BundleError(f"{where}: {name} has another size than the manifest says", AGAIN)
    data = archive.read(name)
    if sha256(data) != listed.get("sha256"):
        raise BundleError(f"{where}: {name} has another digest than the manifest says", AGAIN)
    return data


def _safe(name: str) -> bool:
    parts = name.split("/")
    return (
        name.isprintable()
        and not any(part in ("", ".", "..") for part in parts)
        and not any(c in name for c in "\\:")
    )
