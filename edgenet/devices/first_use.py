"""Wheels that edgenet has not pinned, from an index of the user's own: trusted on first use.

The sha256 of each is recorded when it is first fetched. Another one later, from the cache or from any index,
is refused by name, as ssh refuses another host key.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgenet.devices.digests import digest_lines, known_digests, parsed
from edgenet.devices.index import Index
from edgenet.devices.pip_download import download
from edgenet.devices.platform import Platform
from edgenet.devices.wheelhouse import alone, filled, shelf
from edgenet.errors import DeviceError
from edgenet.files import cache_dir, file_digest, write_atomic
from edgenet.locks import locked

__all__ = ["kept", "take"]

# In the wheelhouse, in the form that ``sha256sum -c`` reads.
RECORD = "first-use.sha256"


def kept(needs: Sequence[str], platform: Platform) -> bool:
    """Whether wheels for these requirements were taken from an index before."""
    return shelf(needs, platform).is_dir()


def take(needs: Sequence[str], platform: Platform, index: Index | None) -> list[Path]:
    """The wheels of these requirements, from the user's index at first, later without a network.

    Args:
        needs: Requirements such as "numpy>=1.23.2,<2"; their dependencies are not followed.
        platform: What they must fit.
        index: Where they come from; ``None`` uses only what was taken before.

    Raises:
        DeviceError: They cannot be fetched, or one has another sha256 than when it was first used.
    """
    with alone(folder := shelf(needs, platform)):
        if folder.is_dir() and (wrong := _changed(folder)):
            if index is None:
                raise _refusal(wrong)
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.is_dir():
            if index is None:
                raise DeviceError(
                    f"{' '.join(needs)} for {platform} was not taken from an index before",
                    "name an index in EDGENET_INDEX",
                )
            filled(folder, lambda empty: _fill(empty, needs, platform, index))
        return sorted(folder.glob("*.whl"))


def _fill(folder: Path, needs: Sequence[str], platform: Platform, index: Index) -> None:
    download(needs, platform, folder, index=index, alone=True)
    with locked(_record()):
        known = _known()
        wheels = {path.name: file_digest(path) for path in folder.glob("*.whl")}
        for name, digest in wheels.items():
            if known.get(name, digest) != digest:
                raise _refusal(name, f" from {index.shown}")
        write_atomic(_record(), digest_lines({**_recorded(), **wheels}).encode())


def _changed(folder: Path) -> str | None:
    """The name of a wheel that is not what it was when it was first used; ``None`` without one."""
    known, wheels = _known(), sorted(folder.glob("*.whl"))
    return next((path.name for path in wheels if known.get(path.name) != file_digest(path)), None)


def _known() -> Mapping[str, str]:
    return {**_recorded(), **known_digests()}


def _recorded() -> Mapping[str, str]:
    try:
        return parsed(_record().read_text("ascii"), str(_record()))
    except OSError:
        return {}
    except ValueError as error:
        raise DeviceError(
            f"the record of wheels that were used before is damaged: {error}",
            f"correct or remove {_record()}",
        ) from None


def _record() -> Path:
    return cache_dir() / "wheelhouse" / RECORD


def _refusal(name: str, whence: str = "") -> DeviceError:
    return DeviceError(
        f"{name}{whence} has another sha256 than when it was first used: it is not used",
        f"where that is right, remove its line from {_record()}",
    )
