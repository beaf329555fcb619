"""The golden set: a few real images inside a file, with the answers they must get."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import pixels_of
from edgenet.arrays import array_bytes, read_array
from edgenet.errors import ModelError
from edgenet.files import sha256
from edgenet.json_value import Where, Within
from edgenet.manifest import GoldenSpec
from edgenet.preprocessing import Preprocessing
from edgenet.record import Record
from edgenet.text import cause

__all__ = ["GOLDEN_REFERENCE", "Golden"]

GOLDEN_REFERENCE = "golden/reference.npy"
AGAIN = "quantize the model again"


@dataclass(frozen=True, repr=False)
class Golden:
    """Encoded images and the network's float answers.

    Attributes:
        source: "calibration", or "synthetic" where no image was given (smooth noise: good for comparing
            arithmetic, worth nothing for accuracy).
        images: File name → encoded image.
        pixels: uint8 [n, H, W, 3], what the network sees on this machine.
        reference: float32 [n, values], the float model's answers as its task compares them.
    """

    source: str
    images: dict[str, bytes]
    pixels: NDArray[np.uint8]
    reference: NDArray[np.float32]

    def __repr__(self) -> str:
        return f"<Golden {len(self.images)} images of {self.source}, {self.reference.shape[-1]} classes>"

    def to_table(self) -> dict[str, Any]:
        """What the manifest says of it."""
        listed = [
            {"file": name, "pixels_sha256": sha256(np.ascontiguousarray(pixels).tobytes())}
            for name, pixels in zip(self.images, self.pixels, strict=True)
        ]
        return {"source": self.source, "images": listed}

    def files(self) -> dict[str, bytes]:
        """The images and the answers as files, for :meth:`from_files`."""
        return {GOLDEN_REFERENCE: array_bytes(self.reference), **self.images}

    def to_bytes(self) -> bytes:
        """All of it in one piece, for :meth:`from_bytes`: a line of JSON, then the files' contents."""
        files = self.files()
        head = {"golden": self.to_table(), "sizes": {name: len(data) for name, data in files.items()}}
        return json.dumps(head).encode() + b"\n" + b"".join(files.values())

    @classmethod
    def from_bytes(cls, data: bytes, preprocessing: Preprocessing) -> Golden:
        """Read what :meth:`to_bytes` gave.

        Raises:
            ModelError: It is not that.
        """
        where = Where("golden set", error=ModelError, remedy=AGAIN)
        line, _, rest = data.partition(b"\n")
        try:
            head = _Head.from_table(json.loads(line), where)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{where}: not JSON ({cause(error)})", AGAIN) from None
        files, begin = {}, 0
        for name, size in head.sizes.items():
            files[name] = rest[begin : begin + size]
            begin += size
        return cls.from_files(head.golden, files, preprocessing, str(where))

    @classmethod
    def from_files(
        cls, spec: GoldenSpec, files: Mapping[str, bytes], preprocessing: Preprocessing, where: str
    ) -> Golden:
        """Read what :meth:`files` gave.

        Args:
            spec: What :meth:`to_table` said.
            files: Name → contents.
            preprocessing: How the images become pixels.
            where: The file, for messages.

        Raises:
            ModelError: An image is missing or gives other pixels here, or the answers do not fit them.
        """
        images, pixels = {}, []
        for item in spec.images:
            try:
                images[item.file] = files[item.file]
                made = np.asarray(pixels_of(files[item.file], preprocessing.fit_spec()), np.uint8)
            except (KeyError, ValueError) as error:
                raise ModelError(f"{where}: no usable image {item.file!r} ({cause(error)})", AGAIN) from None
            if sha256(np.ascontiguousarray(made).tobytes()) != item.pixels_sha256:
                raise ModelError(f"{where}: {item.file!r} gives other pixels than it gave there", AGAIN)
            pixels.append(made)
        try:
            reference = read_array(files[GOLDEN_REFERENCE])
        except (KeyError, ValueError) as error:
            raise ModelError(f"{where}: no usable {GOLDEN_REFERENCE} ({cause(error)})", AGAIN) from None
        shaped = reference.ndim == 2 and len(reference) == len(pixels) > 0
        if not shaped or reference.dtype != np.float32 or not np.isfinite(reference).all():
            raise ModelError(f"{where}: {GOLDEN_REFERENCE} does not fit its images", AGAIN)
        return cls(spec.source, images, np.stack(pixels), reference)


@dataclass(frozen=True, kw_only=True)
class _Head(Record):
    """The first line of :meth:`Golden.to_bytes`."""

    golden: GoldenSpec
    sizes: Mapping[str, Annotated[int, Within(least=0, most=1 << 30)]]
