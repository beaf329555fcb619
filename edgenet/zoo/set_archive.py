"""The archive that an embedded model's image sets travel in: the same pictures give the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from edgenet.files import sha256, write_atomic

__all__ = ["USES", "SetArchive", "files_digest"]

# Every file's.
DATE = (2026, 1, 1, 0, 0, 0)
USES = {"calib": "ranges for quantization; never scored", "val": "scoring; never calibrated or trained on"}
SPLIT = """
[{name}]
use = "{use}"
{facts}
sha256 = "{digest}"
"""


class SetArchive:
    """A ZIP file of splits, a folder each, and ``manifest.toml`` that says what they are.

    Args:
        manifest: The manifest's text before the splits.
    """

    def __init__(self, manifest: str) -> None:
        self._text = manifest
        self._stream = BytesIO()
        self._archive = zipfile.ZipFile(self._stream, "w")

    def add(self, split: str, files: Mapping[str, bytes], facts: Mapping[str, int]) -> None:
        """Add a split.

        Args:
            split: A name of ``USES``.
            files: Its files by name; JPEGs are stored, others deflated.
            facts: What the manifest says of it, such as ``seed`` and ``count``.
        """
        for name, data in files.items():
            self._file(f"{split}/{name}", data)
        lines = "\n".join(f"{key} = {value}" for key, value in facts.items())
        self._text += SPLIT.format(name=split, use=USES[split], facts=lines, digest=files_digest(files))

    def write(self, out: Path) -> None:
        """Write the archive, all of it or nothing; a file of that name is replaced."""
        self._file("manifest.toml", self._text.encode())
        self._archive.close()
        write_atomic(out, self._stream.getvalue())

    def _file(self, name: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(name, DATE)
        entry.external_attr = 0o644 << 16
        kind = zipfile.ZIP_STORED if name.endswith(".jpg") else zipfile.ZIP_DEFLATED
        self._archive.writestr(entry, data, kind)


def files_digest(files: Mapping[str, bytes]) -> str:
    """sha256 of the lines ``<sha256>  <name>`` of files by their names, sorted by name."""
    return sha256("".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files)).encode())
