"""Values on their way to a worker and back, held to their digest."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

from edgenet.errors import DataError
from edgenet.files import sha256

__all__ = ["Parcel"]


@dataclass(frozen=True, repr=False)
class Parcel:
    """A pickled value.

    Attributes:
        data: It.
        digest: Its sha256 where it was packed.
    """

    data: bytes
    digest: str

    @classmethod
    def of(cls, value: Any) -> Parcel:
        """Pack a value that can be pickled."""
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        return cls(data, sha256(data))

    def open(self) -> Any:
        """The value; of workers and clients of one cluster, which run each other's code anyway.

        Raises:
            DataError: It is not what was packed.
        """
        if sha256(self.data) != self.digest:
            raise DataError("the data that arrived is not the data that was sent", "run it again")
        return pickle.loads(self.data)  # noqa: S301
