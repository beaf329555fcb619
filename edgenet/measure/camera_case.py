"""The camera's case: the pipeline on frames of a camera's size and form, made of the user's photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgenet.bundle import Bundle
from edgenet.devices.channel import OnEvent
from edgenet.devices.session import Session
from edgenet.errors import DeviceError
from edgenet.facts import Facts
from edgenet.frame import JPEG, Frame
from edgenet.imageset import ImageSet
from edgenet.measure.frame_pictures import frame_pictures
from edgenet.measure.frame_steps import frame_steps
from edgenet.pipeline import FrameSteps
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress

__all__ = ["CameraCase", "photographs"]

# Photographs that frames are made of.
FEW = 16


@dataclass(frozen=True)
class CameraCase:
    """Frames for a measurement, and what came of it.

    Attributes:
        frame: Their size and form.
        images: The images that they are made of, encoded.
        source: Where those are from: "val", else as :class:`edgenet.golden.Golden` says of the bundle's own.
        preprocessing: The model's.
        pictures: The frames.
        steps: What would be faster; ``None`` before :meth:`with_steps`.
    """

    frame: Frame
    images: Sequence[bytes]
    source: str
    preprocessing: Preprocessing
    pictures: Sequence[bytes]
    steps: FrameSteps | None = None

    @classmethod
    def of(cls, frame: Frame, bundle: Bundle, val: ImageSet | None, decodes: Sequence[str]) -> CameraCase:
        """Make the frames.

        Args:
            frame: Their size and form.
            bundle: Whose images they are made of where there are no others: few, and no larger than the
                network needs them.
            val: The user's photographs, as they are; a few of them are taken.
            decodes: The formats that the board decodes.

        Raises:
            DeviceError: The board cannot decode such frames.
            DataError: A photograph cannot be used.
        """
        return cls.of_photographs(frame, bundle, photographs(val) if val else (), decodes)

    @classmethod
    def of_photographs(
        cls, frame: Frame, bundle: Bundle, some: Sequence[bytes], decodes: Sequence[str]
    ) -> CameraCase:
        """As :meth:`of`, of photographs that were read before; the bundle's images where there are none."""
        if frame.form == JPEG and JPEG not in decodes:
            raise DeviceError(
                f"the board's Python decodes no JPEG, so it cannot take frames of {frame}",
                f"install Pillow there (python3-pil), or measure --frame {frame.size}:yuyv",
            )
        golden, preprocessing = bundle.manifest.golden, bundle.manifest.preprocessing
        images = some or _held(bundle)
        pictures = list(frame_pictures(images, frame, preprocessing.orientation))
        return cls(frame, images, "val" if some else golden.source, preprocessing, pictures)

    def with_steps(self, session: Session, facts: Facts, tell: Progress, board: OnEvent) -> CameraCase:
        """The same with what would be faster, measured on the board."""
        if facts.emulated:
            return replace(self, steps=FrameSteps(absent="an emulated board has no speed"))
        found = frame_steps(session, self.images, self.frame, self.preprocessing, tell, board)
        return replace(self, steps=found)

    def about(self) -> dict[str, Any]:
        """What the report's pipeline says of it: ``frame``, ``frame_bytes``, ``steps``."""
        mean = sum(len(picture) for picture in self.pictures) / len(self.pictures)
        return {"frame": str(self.frame), "frame_bytes": round(mean), "steps": self.steps}

    @property
    def notes(self) -> tuple[str, ...]:
        """What tells how to read the figures."""
        if self.source != "synthetic":
            return ()
        return ("the frames were made of synthetic images: a camera's JPEG takes longer to decode",)


def photographs(val: ImageSet) -> list[bytes]:
    """A few of a user's photographs, encoded, spread over the set.

    Raises:
        DataError: One cannot be read.
    """
    some = val.head(FEW)
    return [some.read(index) for index in range(len(some))]


def _held(bundle: Bundle) -> list[bytes]:
    """The bundle's own images, encoded."""
    return [bundle.files[item.file] for item in bundle.manifest.golden.images]
