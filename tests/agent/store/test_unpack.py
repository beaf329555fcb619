"""Wheels on the board. Python 3.6 syntax and unittest, as in `test_agent_store.py`."""

# ruff: noqa: PT008, PT027

import hashlib
import io
import os
import shutil
import tempfile
import unittest
import zipfile
from unittest import mock

from edgenet_agent.failure import Failure
from edgenet_agent.store import unpack
from edgenet_agent.store.home import Store


def wheel(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return stream.getvalue()


class UnpackTest(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home)
        self.store = Store(self.home)
        self.addCleanup(self.store.release)
        self.store.begin()

    def send(self, *wheels):
        sent = []
        for data in wheels:
            digest = hashlib.sha256(data).hexdigest()
            self.store.put(digest, len(data), 0, data)
            sent.append({"digest": digest, "name": "some.whl"})
        return sent

    def unpack(self, *wheels):
        return unpack.unpack(self.store, self.send(*wheels), lambda done, files: None)

    def refuses(self, *wheels):
        with self.assertRaises(Failure) as caught:
            self.unpack(*wheels)
        assert os.listdir(self.store.path("runtimes")) == []
        return caught.exception

    def tree(self, digest):
        folder = self.store.path("runtimes", digest)
        return sorted(
            os.path.relpath(os.path.join(at, name), folder)
            for at, _, names in os.walk(folder)
            for name in names
        )

    def test_wheels_are_merged(self):
        digest = self.unpack(
            wheel(
                [
                    ("one/__init__.py", b"x = 1"),
                    ("one-1.data/purelib/extra.py", b""),
                    ("one-1.data/scripts/run", b""),
                ]
            ),
            wheel([("two.py", b"y = 2"), ("two-2.data/platlib/sub/three.so", b"so"), ("folder/", b"")]),
        )
        assert self.tree(digest) == ["extra.py", "one/__init__.py", "sub/three.so", "two.py"]
        assert unpack.installed(self.store) == [digest]
        assert os.listdir(self.store.path("blobs")) == [], "the wheels are not kept twice"

    def test_names_are_utf_8_whatever_the_locale(self):
        digest = self.unpack(wheel([("one/gr\u00f6\u00dfe.txt", b"")]))
        assert os.listdir(os.fsencode(self.store.path("runtimes", digest, "one"))) == [
            b"gr\xc3\xb6\xc3\x9fe.txt"
        ]

    def test_same_again_does_nothing(self):
        data = wheel([("one.py", b"")])
        digest = self.unpack(data)
        assert self.unpack(data) == digest

    def test_left_overs_of_a_cut_are_replaced(self):
        data = wheel([("one.py", b"")])
        name = unpack.runtime_digest([hashlib.sha256(data).hexdigest()])
        os.makedirs(self.store.path("runtimes", name + ".tmp", "half"))
        assert unpack.installed(self.store) == []
        assert self.tree(self.unpack(data)) == ["one.py"]
        assert os.listdir(self.store.path("runtimes")) == [name]

    def test_unsafe_paths(self):
        for name in ("/etc/x", "../x", "a/../../x", "C:x", "a\\b", "x.data/purelib/../../../y"):
            assert self.refuses(wheel([(name, b"")])).kind == "bad-wheel", name

    def test_symbolic_link(self):
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        assert self.refuses(wheel([(info, b"/etc")])).kind == "bad-wheel"

    def test_not_a_wheel_and_damaged(self):
        assert self.refuses(b"PK nothing").kind == "bad-wheel"
        data = bytearray(wheel([("one.py", b"0123456789" * 1000)]))
        data[40:60] = b"\xff" * 20
        assert self.refuses(bytes(data)).kind == "bad-wheel"

    def test_too_large(self):
        with mock.patch.object(unpack, "MAX_BYTES", 100):
            assert self.refuses(wheel([("big", b"0" * 101)])).kind == "bad-wheel"

    def test_no_space(self):
        with mock.patch.object(Store, "free", lambda self: 100):
            blobs = [wheel([("big", b"0" * 101)])]
            digest = hashlib.sha256(blobs[0]).hexdigest()
            self.store.put(digest, len(blobs[0]), 0, blobs[0])
            with self.assertRaises(Failure) as caught:
                unpack.unpack(self.store, [{"digest": digest, "name": "big.whl"}], lambda done, files: None)
        assert caught.exception.kind == "no-space"

    def test_missing_blob_and_no_lock(self):
        with self.assertRaises(Failure) as caught:
            unpack.unpack(self.store, [{"digest": "a" * 64, "name": "x.whl"}], lambda done, files: None)
        assert caught.exception.kind == "missing"
        self.store.release()
        with self.assertRaises(Failure) as caught:
            self.unpack(wheel([("one.py", b"")]))
        assert caught.exception.kind == "not-begun"


if __name__ == "__main__":
    unittest.main()
