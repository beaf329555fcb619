"""From a frame's bytes to a label: edgenet's own pipeline, and what people write by hand.

Ways of one runtime share one loaded model, so that where its memory lies is the same for all of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image
from pipelines import before

from edgenet.agent import tasks
from edgenet.agent.measure import bench
from edgenet.agent.measure.frames import Frames
from edgenet.agent.resample import opencv as opencv_resample
from edgenet.frame import FORMS, Frame
from edgenet.preprocessing import Preprocessing

PARTS = ("decode", "fit", "invoke")
Clock = Callable[[], float]


class Lap(NamedTuple):
    """Seconds of decode, fit and invoke with reading the answer; the class."""

    seconds: tuple[float, float, float]
    label: str


class Own:
    """edgenet's pipeline as it runs on the board."""

    def __init__(
        self, session: Any, pictures: Sequence[bytes], frame: Frame, spec: dict, clock: Clock
    ) -> None:
        form = {"kind": FORMS[frame.form].kind, "size": [frame.width, frame.height]}
        self.frames = Frames(pictures, spec, form)
        reader = tasks.reader({"output": {}, "labels": []})
        self._pipeline = bench.Pipeline(session, self.frames, reader, clock)

    def lap(self, index: int) -> Lap:
        """One frame."""
        self._pipeline.frame = index
        self._pipeline.reset()
        self._pipeline()
        took = {name: ms / 1e3 for name, ms in self._pipeline.parts_ms(1).items()}
        return Lap(
            (took.get("decode", 0.0), took["fit"], took["invoke"] + took["post"]), self._pipeline.label
        )

    def pixels(self, index: int) -> np.ndarray:
        """What the network sees: uint8 [H, W, 3]."""
        return self.frames.pixels(index)[0].copy()


class Bare(Own):
    """The same on a board that has what edgenet sends it, which is no OpenCV: numpy resizes."""

    def lap(self, index: int) -> Lap:
        """One frame."""
        kept = opencv_resample.library
        opencv_resample.library = _none
        try:
            return super().lap(index)
        finally:
            opencv_resample.library = kept


def _none(_name: str) -> None:
    return None


class ByHand:
    """Three steps that somebody wrote, one after the other."""

    def __init__(
        self,
        pictures: Sequence[bytes],
        decode: Callable[[bytes], Any],
        fit: Callable[[Any], Any],
        answer: Callable[[Any], int],
        clock: Clock,
    ) -> None:
        self._pictures, self._clock = pictures, clock
        self._decode, self._fit, self._answer = decode, fit, answer

    def lap(self, index: int) -> Lap:
        """One frame."""
        clock, data = self._clock, self._pictures[index % len(self._pictures)]
        t0 = clock()
        image = self._decode(data)
        t1 = clock()
        pixels = self._fit(image)
        t2 = clock()
        label = self._answer(pixels)
        t3 = clock()
        return Lap((t1 - t0, t2 - t1, t3 - t2), str(label))

    def pixels(self, index: int) -> np.ndarray:
        """What the network sees, in whatever form this way gives it."""
        return np.array(self._fit(self._decode(self._pictures[index % len(self._pictures)])))


def lite(session: Any) -> Callable[[np.ndarray], int]:
    """LiteRT's interpreter by hand."""
    interpreter = session._interpreter
    into, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def answer(pixels: np.ndarray) -> int:
        interpreter.set_tensor(into, pixels[None])
        interpreter.invoke()
        return int(interpreter.get_tensor(out)[0].argmax())

    return answer


def ort(session: Any) -> Callable[[np.ndarray], int]:
    """ONNX Runtime by hand; of batched input as it comes, else with a batch put before it."""
    into, out = session.get_inputs()[0].name, session.get_outputs()[0].name

    def answer(pixels: np.ndarray) -> int:
        return int(session.run([out], {into: pixels if pixels.ndim == 4 else pixels[None]})[0].argmax())

    return answer


def place(rows: int, columns: int, how: Preprocessing) -> tuple[int, int, int, int]:
    """(rows, columns) of the resized image, (top, left) of what is kept: torchvision's Resize, CenterCrop."""
    height, width = how.size
    if how.resize == "stretch":
        return height, width, 0, 0
    short = how.resize_to or 0
    high, wide = (short, short * columns // rows) if rows <= columns else (short * rows // columns, short)
    return high, wide, round((high - height) / 2.0), round((wide - width) / 2.0)


OPENCV = {
    "opencv-linear": cv2.INTER_LINEAR,
    "opencv-area": cv2.INTER_AREA,
    "opencv-cubic": cv2.INTER_CUBIC,
}


def opencv(
    frame: Frame, how: Preprocessing, name: str
) -> tuple[Callable[[bytes], Any], Callable[[Any], Any]]:
    """(decode, fit) as an OpenCV user writes them: the colors are turned where there are few of them."""
    flag = OPENCV.get(name, cv2.INTER_LINEAR)

    def decode(data: bytes) -> Any:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)

    def convert(data: bytes) -> Any:
        pairs = np.frombuffer(data, np.uint8).reshape(frame.height, frame.width, 2)
        return cv2.cvtColor(pairs, cv2.COLOR_YUV2BGR_YUYV)

    def fit(image: Any) -> Any:
        high, wide, top, left = place(*image.shape[:2], how)
        kept = cv2.resize(image, (wide, high), interpolation=flag)
        return cv2.cvtColor(kept[top : top + how.size[0], left : left + how.size[1]], cv2.COLOR_BGR2RGB)

    return (decode if frame.form == "jpeg" else convert), fit


def pillow(how: Preprocessing) -> tuple[Callable[[bytes], Any], Callable[[Any], Any]]:
    """(decode, fit) as a Pillow user writes them."""

    def decode(data: bytes) -> Any:
        return Image.open(io.BytesIO(data)).convert("RGB")

    def fit(image: Any) -> Any:
        high, wide, top, left = place(image.height, image.width, how)
        box = (left, top, left + how.size[1], top + how.size[0])
        return np.asarray(image.resize((wide, high), Image.Resampling.BILINEAR).crop(box))

    return decode, fit


def torchvision(how: Preprocessing) -> tuple[Callable[[bytes], Any], Callable[[Any], Any]]:
    """(decode, fit) of PyTorch's tutorials: transforms of a Pillow image, float32 [1, 3, H, W].

    Raises:
        ImportError: torchvision is not installed.
    """
    import torch
    from torchvision import transforms

    torch.set_num_threads(1)
    mean, std = ([value / 255 for value in values] for values in (how.mean, how.std))
    steps = [transforms.CenterCrop(how.size), transforms.ToTensor(), transforms.Normalize(mean, std)]
    resize = transforms.Resize(how.resize_to if how.resize_to else how.size)
    whole = transforms.Compose([resize, *(steps if how.resize_to else steps[1:])])

    def fit(image: Any) -> Any:
        return whole(image).unsqueeze(0).numpy()

    return pillow(how)[0], fit


def earlier(how: Preprocessing, name: str) -> tuple[Callable[[bytes], Any], Callable[[Any], Any]]:
    """(decode, fit) of edgenet before."""
    spec = {**how.fit_spec(), "interpolation": name}
    return before.decode, lambda image: before.fit(image, spec)


def installed() -> Iterator[str]:
    """The versions of what is compared."""
    import importlib.metadata

    for name in ("opencv-python-headless", "pillow", "simplejpeg", "ai-edge-litert", "onnxruntime",
                 "torch", "torchvision", "numpy"):  # fmt: skip
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} not installed"
