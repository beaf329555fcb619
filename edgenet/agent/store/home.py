"""What the board keeps: blobs by digest, deployments, one ``current`` link, one lock.

Everything new is written to a temporary name, fsynced, checked and renamed, so a cut cable or a
pulled plug leaves what was there before.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from typing import Any, Set

from ..failure import Failure, from_os_error, no_space
from ..wire import DAMAGED, LOCKED
from .safe import FOLDERS

fcntl: Any = None
try:
    import fcntl
except ImportError:  # Windows, where only `local` runs
    pass

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
LOCK_WAIT = 5.0
# Left free beside what is sent, bytes: the board must go on working.
SPARE = 4 << 20


def default_home():
    """``$EDGENET_HOME`` or ``~/.edgenet``."""
    return os.environ.get("EDGENET_HOME") or os.path.join(os.path.expanduser("~"), ".edgenet")


def check_digest(value):
    """``value`` if it is a sha256 in lower-case hexadecimal; these are the only names a host can choose."""
    if not isinstance(value, str) or not DIGEST.match(value):
        raise Failure("bad-request", "not a digest: {!r}".format(value)[:120])
    return value


def file_digest(path):
    """The sha256 of a file, in constant memory."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for piece in iter(lambda: stream.read(1 << 18), b""):
            digest.update(piece)
    return digest.hexdigest()


def sync_folder(path):
    """Make the renames in a folder last."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        pass  # some file systems cannot; the data itself is synced
    finally:
        os.close(handle)


def write_atomic(path, data):
    """Write a small file so that ``path`` holds either the old or the new bytes."""
    temporary = "{}.{}.tmp".format(path, os.getpid())
    try:
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))


@contextlib.contextmanager
def one_writer(path):
    """Wait for ``path``, a lock: also connections that hold no deploy lock write small files."""
    with open(path, "ab") as stream:
        if fcntl is not None:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        yield


class Store(object):
    """The folder ``~/.edgenet`` of one board."""

    def __init__(self, home):
        self.home = home
        self._lock: Any = None
        self._part: Any = None
        # Digests of blobs and runtimes that the deploy under way deals with; making room leaves them alone.
        self.used: Set[str] = set()
        try:
            for name in FOLDERS:
                os.makedirs(self.path(name), 0o700, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, 4096, self.free(), home)

    def path(self, *names):
        """A path inside the home."""
        return os.path.join(self.home, *names)

    def blob_path(self, digest):
        """Where the blob of a digest lies, whether it is there or not."""
        return self.path("blobs", check_digest(digest))

    def free(self):
        """Bytes that this user may still write."""
        folder = self.home
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder) or "."
        return shutil.disk_usage(folder).free

    # -- the lock of a deploy

    @property
    def locked(self):
        """Whether this connection holds the deploy lock."""
        return self._lock is not None

    def begin(self, wait=LOCK_WAIT):
        """Take the deploy lock; raises ``locked`` if another one holds it for over ``wait`` seconds."""
        if self._lock is not None:
            return
        path = self.path("deploy.lock")
        stream = open(path, "ab")
        deadline = time.monotonic() + wait
        while not _try_lock(stream):
            if time.monotonic() > deadline:
                stream.close()
                raise Failure(
                    LOCKED,
                    "another deploy to this board is running ({} is locked)".format(path),
                    "wait until it is done and run this again",
                )
            time.sleep(0.05)
        self._lock = stream

    def release(self):
        """Give the deploy lock and the blob being written back."""
        for stream in (self._lock, self._part and self._part[1]):
            if stream is not None:
                stream.close()
        self._lock = self._part = None

    def need_lock(self):
        """Raise where the deploy lock is not held."""
        if self._lock is None:
            raise Failure("not-begun", "the deploy lock is not held any more", "run the deploy again")

    # -- blobs

    def missing(self, wanted):
        """Which of ``[[digest, size]…]`` are not here: ``[[digest, bytes already here]…]``.

        Raises ``no-space`` where the rest does not fit the disk.
        """
        missing, needed = [], 0
        for digest, size in wanted:
            path = self.blob_path(digest)
            self.used.add(digest)
            if os.path.isfile(path) and os.path.getsize(path) == size:
                continue
            here = _size(path + ".part")
            if here > size:
                os.unlink(path + ".part")
                here = 0
            missing.append([digest, here])
            needed += size - here
        if missing and needed + SPARE > self.free():
            raise no_space(needed + SPARE, self.free(), self.home)
        return missing

    def put(self, digest, size, offset, data):
        """Append a piece of a blob; returns True when the blob is complete, verified and in place.

        Raises: ``busy`` (another writer), ``bad-offset``, ``damaged`` (the digest is wrong; the part
        is removed), ``no-space``.
        """
        stream = self._open_part(digest)
        here = os.fstat(stream.fileno()).st_size
        if offset != here or here + len(data) > size:
            raise Failure(
                "bad-offset", "blob {}: {} bytes are here, not {}".format(digest[:12], here, offset)
            )
        try:
            _write_all(stream, data)
            if here + len(data) < size:
                return False
            os.fsync(stream.fileno())
        except OSError as error:
            stream.truncate(here)  # so that the piece can be sent once more
            self._close_part()
            raise from_os_error(error, size - here, self.free(), self.path("blobs"))
        self._finish(digest)
        return True

    def _open_part(self, digest):
        if self._part is not None and self._part[0] == digest:
            return self._part[1]
        self._close_part()
        stream = open(self.blob_path(digest) + ".part", "ab", 0)
        if not _try_lock(stream):
            stream.close()
            raise Failure("busy", "blob {} is being written by another connection".format(digest[:12]))
        self._part = (digest, stream)
        return stream

    def _close_part(self):
        if self._part is not None:
            self._part[1].close()
            self._part = None

    def _finish(self, digest):
        path = self.blob_path(digest)
        try:
            if file_digest(path + ".part") != digest:
                os.unlink(path + ".part")
                raise Failure(DAMAGED, "blob {} arrived damaged".format(digest[:12]), "run this again")
            os.replace(path + ".part", path)
            sync_folder(os.path.dirname(path))
        finally:
            self._close_part()

    def verified_blob(self, digest, size=None):
        """The path of a blob whose bytes were just checked; a damaged one is removed, to be sent again."""
        path = self.blob_path(digest)
        if not os.path.isfile(path):
            raise Failure("missing", "blob {} is not on the board".format(digest[:12]), "deploy again")
        if (size is not None and os.path.getsize(path) != size) or file_digest(path) != digest:
            os.unlink(path)
            raise Failure(DAMAGED, "blob {} on the board is damaged".format(digest[:12]), "deploy again")
        return path

    def remove_blobs(self, digests):
        """Forget blobs that are not needed any more."""
        for digest in digests:
            if os.path.isfile(self.blob_path(digest)):
                os.unlink(self.blob_path(digest))


def _try_lock(stream):
    if fcntl is None:
        return True
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_all(stream, data):
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]


def _size(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def read_json(path):
    """A JSON file's value, or ``None`` where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return json.loads(stream.read().decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
