"""Every error edgenet raises on purpose, and the exit code each one ends a command with.

    EdgenetError                  1   expected failure: what, why, what to do next
    ├── ModelError                1   the model file or its preprocessing
    │   └── UnsupportedError      1   an operator, attribute or shape a backend cannot express
    ├── DataError                 1   images, labels, calibration folders
    │   └── ReportError           1   a damaged or foreign report
    ├── DriftError                4   quantized, measured, and over the limit that was asked for
    ├── LibraryError              1   a target, recipe or protocol that is not there or not valid
    ├── PackageError              1   an optional package is not installed; an ImportError too
    ├── PlanError                 1   this board, backend and precision do not go together
    ├── BundleError               1   a damaged, foreign or unsafe .edgenet file
    ├── SignatureError            1   a bundle's signature, a key, or a list of allowed signers
    └── DeviceError               1   the board answered, but could not do it
        ├── HealthError           4   a build that must not become current there: over a limit, or refused
        ├── ConnectionFailed      3   no answer: name, key, host key, Python, network
        └── ConnectionLost        3   it answered and then went away

An exception outside this tree is a bug and shows a traceback.
"""

from __future__ import annotations

from typing import Any

from edgenet.arguments import in_python
from edgenet.text import plain

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_OVER_LIMIT = 4
EXIT_INTERRUPTED = 130
# Of a message; edgenet's own longest, with every attempt of a search for a runtime, is shorter.
LONGEST = 1500


class EdgenetError(Exception):
    """An expected failure.

    Args:
        what: The thing and the reason, one sentence without a final stop.
        remedy: What the user can do now, one sentence without a final stop. It names options as the command
            line has them ("--max-drift 0.5"), which shows it so; ``str`` of the error names the arguments of
            the library in their place ("max_drift=0.5").

    Foreign text within either is made printable, and what is longer than a screen is cut in its middle.

    Example:
        >>> try:
        ...     edgenet.plan("signs", "raspberry-pi-4", "tensorrt")
        ... except edgenet.EdgenetError as error:
        ...     error.what, error.remedy
        ('Raspberry Pi 4 Model B has no tensorrt', 'choose --backend tflite or onnxruntime')
    """

    exit_code = EXIT_FAILED

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what, self.remedy = _short(plain(what)), _short(plain(remedy))
        super().__init__(self.what, self.remedy)

    def __str__(self) -> str:
        return f"{self.what}: {in_python(self.remedy)}" if self.remedy else self.what

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as it is: an exception is otherwise made anew from its text alone."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[EdgenetError], args: tuple[Any, ...], values: dict[str, Any]) -> EdgenetError:
    made = kind.__new__(kind, *args)
    made.__dict__.update(values)
    return made


def _short(text: str) -> str:
    """A text of at most so many characters, begin and end kept."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"


class ModelError(EdgenetError):
    """The model file, its graph or its preprocessing cannot be used."""


class UnsupportedError(ModelError):
    """A backend cannot express an operator, attribute or shape of this graph."""


class DataError(EdgenetError):
    """Images, labels or a calibration folder cannot be used."""


class ReportError(DataError):
    """A report is damaged, foreign or of another schema."""


class DriftError(EdgenetError):
    """A model cannot be quantized within the drift that was asked for."""

    exit_code = EXIT_OVER_LIMIT


class LibraryError(EdgenetError):
    """A target, recipe or protocol was not found or is not valid."""


class PackageError(EdgenetError, ImportError):
    """A package that only this needs is not installed."""


class PlanError(EdgenetError):
    """The board, backend and precision do not go together."""


class BundleError(EdgenetError):
    """A bundle is damaged, foreign or unsafe."""


class SignatureError(EdgenetError):
    """A signature is missing or does not hold, or a key or a list of signers cannot be used."""


class DeviceError(EdgenetError):
    """The board answered but could not do what was asked."""


class HealthError(DeviceError):
    """A build must not become current on a board: it is over a limit there, or the user's check says no."""

    exit_code = EXIT_OVER_LIMIT


class ConnectionFailed(DeviceError):
    """The board could not be reached, or has no usable Python.

    Attributes:
        unasked: Whether a person could have answered what ssh would have asked: for a host key that is not
            known yet, or a password.
    """

    exit_code = EXIT_UNREACHABLE

    def __init__(self, what: str, remedy: str = "", unasked: bool = False) -> None:
        super().__init__(what, remedy)
        self.unasked = unasked


class ConnectionLost(DeviceError):
    """The board answered and then the connection broke."""

    exit_code = EXIT_UNREACHABLE
