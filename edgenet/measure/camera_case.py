"""The camera's case: the pipeline on frames of a camera's size and form, made of the bundle's images."""

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
from edgenet.measure.frame_pictures import frame_pictures
from edgenet.measure.frame_steps import frame_steps
from edgenet.pipeline import FrameSteps
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress

__all__ = ["CameraCase"]


@dataclass(frozen=True)
class CameraCase:
    """Frames for a measurement, and what came of it.

    Attributes:
        frame: Their size and form.
        images: The images that they are made of, encoded, as the bundle holds them.
        source: Where those are from; see :class:`edgenet.golden.Golden`.
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
    def of(cls, frame: Frame, bundle: Bundle, decodes: Sequence[str]) -> CameraCase:
        """Make the frames.

        Args:
            frame: Their size and form.
            bundle: Whose images they are made of.
            decodes: The formats that the board decodes.

        Raises:
            DeviceError: The board cannot decode such frames.
        """
        if frame.form == JPEG and JPEG not in decodes:
            raise DeviceError(
                f"the board's Python decodes no JPEG, so it cannot take frames of {frame}",
                f"install Pillow there (python3-pil), or measure --frame {frame.size}:yuyv",
            )
        manifest = bundle.manifest
        images = [bundle.files[item.file] for item in manifest.golden.images]
        pictures = list(frame_pictures(images, frame, manifest.preprocessing.orientation))
        return cls(frame, images, manifest.golden.source, manifest.preprocessing, pictures)

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
