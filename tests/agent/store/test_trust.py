"""A board that trusts keys: what it takes, by its own ``ssh-keygen``; unittest, for the old Pythons."""

# ruff: noqa: PT009, PT027

import base64
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from edgenet_agent import parts
from edgenet_agent.failure import Failure
from edgenet_agent.store import deployments, history, prune, trust
from edgenet_agent.store.home import Store

PART = os.path.join(os.environ["EDGENET_TEST_PARTS"], "trust", "signed.zip")
PNG = {"sha256": "5" * 64, "size": 9}


def whole(artifact, **changes):
    """A bundle's manifest, with a graph for each generation of TensorRT as well."""
    told = {
        "schema": 1,
        "model": {"name": "m", "output": "logits", "task": "classification", "settings": {}},
        "backend": "null",
        "precision": "int8",
        "artifact": {
            "file": "model.null",
            "input": {"dtype": "uint8", "layout": "NHWC", "shape": [1, 4, 4, 3]},
            "output": {"dtype": "int8", "scale": 0.1, "zero_point": -3, "meaning": "logits", "classes": 2},
            "build": {"precision": "int8", "graphs": {"8": "model.null", "10": "ten.onnx"}},
        },
        "preprocessing": {"size": [4, 4], "resize": "stretch", "interpolation": "bilinear-antialias"},
        "labels": ["a", "b"],
        "label_offset": 0,
        "files": {
            "model.null": {"sha256": artifact, "size": 3},
            "ten.onnx": {"sha256": "1" * 64, "size": 7},
            "golden/0.png": PNG,
        },
    }
    told.update(changes)
    return json.dumps(told).encode("ascii")


@unittest.skipIf(shutil.which("ssh-keygen") is None, "no ssh-keygen")
class TrustCase(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home)
        patched = mock.patch.dict(os.environ, {"EDGENET_HOME": self.home})
        patched.start()
        self.addCleanup(patched.stop)
        self.store = Store(self.home)
        self.addCleanup(self.store.release)
        with open(PART, "rb") as stream:
            self.put(stream.read())
        self.keeper = trust.keeper(self.store)
        from edgenet_agent.signed.kept import kept  # the part is on the path now

        self.kept = kept
        self.store.begin()
        self.artifact = self.put(b"abc")

    def put(self, data):
        digest = hashlib.sha256(data).hexdigest()
        with open(self.store.path("blobs", digest), "wb") as stream:
            stream.write(data)
        return digest

    def make_key(self, name):
        path = os.path.join(self.home, name)
        subprocess.check_call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path])
        with open(path + ".pub") as stream:
            return path, " ".join(stream.read().split()[:2])

    def sign(self, key, raw, namespace="edgenet-bundle"):
        words = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", key]
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        return process.communicate(raw)[0].decode("ascii")

    def manifest(self, raw, file="model.null", **more):
        told = self.kept(json.loads(raw.decode("ascii")), self.put(raw), file)
        return dict(told, runtime=None, **more)

    def answer(self, do, **more):
        try:
            return self.keeper.answer(self.store, dict(more, do=do, who="me", host="here", at=1))
        finally:
            self.store.begin()

    def refuses(self, words, call, *arguments, **named):
        kind = named.pop("kind", "untrusted")
        with self.assertRaises(Failure) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.kind, kind)
        self.assertIn(words, caught.exception.what)

    def refused(self, words, manifest):
        """Refused, and nothing of it is left: neither its folder nor what was current is another."""
        before = deployments.current(self.store)
        self.refuses(words, deployments.deploy, self.store, manifest)
        self.assertEqual(deployments.current(self.store), before)

    # -- what is taken

    def test_without_trust_everything_is_taken_and_no_part_needed(self):
        shutil.rmtree(self.store.path("blobs"))
        os.mkdir(self.store.path("blobs"))
        self.put(b"abc")
        self.assertIsNone(trust.demand(self.store, self.manifest(whole(self.artifact))))
        self.assertTrue(deployments.deploy(self.store, self.manifest(whole(self.artifact))))

    def test_a_board_with_trust_takes_what_was_signed_and_only_that(self):
        key, line = self.make_key("alice")
        other, _ = self.make_key("eve")
        raw = whole(self.artifact)
        self.assertTrue(self.answer("add", name="alice@team", key=line)["changed"])
        good = self.manifest(raw, signature=self.sign(key, raw))
        self.refused("m.null.int8 (", self.manifest(raw))
        self.refused("is not signed, and this board trusts alice@team SHA256:", self.manifest(raw))
        self.refused("is signed by SHA256:", self.manifest(raw, signature=self.sign(other, raw)))
        self.refused("by no Ed25519 key", self.manifest(raw, signature="what is this"))
        self.refused("by no Ed25519 key", self.manifest(raw, signature="x" * 100000))
        forged = self.sign(other, raw).splitlines()
        data = bytearray(base64.b64decode("".join(forged[1:-1])))
        data[14:65] = base64.b64decode("".join(good["signature"].splitlines()[1:-1]))[14:65]
        text = "\n".join([forged[0], base64.b64encode(bytes(data)).decode("ascii"), forged[-1]])
        self.refused("does not hold", self.manifest(raw, signature=text))
        self.refused("does not hold", self.manifest(raw, signature=self.sign(key, raw, "git")))
        later = whole(self.artifact, precision="fp16")
        self.refused("does not hold", self.manifest(later, signature=good["signature"]))
        self.assertTrue(deployments.deploy(self.store, good))
        self.assertEqual(trust.demand(self.store, good), "alice@team")
        self.refused("is not signed", {name: good[name] for name in good if name != "signature"})
        self.assertEqual(deployments.load(self.store, None), good)

    def test_a_deployment_says_nothing_that_was_not_signed(self):
        key, line = self.make_key("alice")
        raw = whole(self.artifact)
        self.answer("add", name="alice@team", key=line)
        good = self.manifest(raw, signature=self.sign(key, raw))
        evil = self.put(b"evil")
        for name, value in (
            ("artifact", evil),
            ("artifact_size", 4),
            ("name", "other"),
            ("backend", "tflite"),
            ("build", None),
            ("input", {"shape": [1, 8, 8, 3], "dtype": "uint8"}),
            ("output", dict(good["output"], scale=0.2)),
            ("preprocessing", dict(good["preprocessing"], resize="center-crop")),
            ("task", {"name": "detection", "settings": {}}),
            ("labels", ["b", "a"]),
            ("more", 1),
        ):
            changed = dict(good, **{name: value})
            self.refuses(f"not what was signed ({name})", trust.demand, self.store, changed)
        picture = dict(good, artifact=PNG["sha256"], artifact_size=PNG["size"])
        self.refuses("not what was signed (artifact", trust.demand, self.store, picture)
        self.assertEqual(trust.demand(self.store, dict(good, runtime="2" * 64)), "alice@team")
        ten = self.manifest(raw, "ten.onnx", signature=good["signature"])
        self.assertEqual(trust.demand(self.store, ten), "alice@team")

    def test_what_was_signed_must_be_there_and_be_a_bundle(self):
        key, line = self.make_key("alice")
        raw = whole(self.artifact)
        self.answer("add", name="alice@team", key=line)
        good = self.manifest(raw, signature=self.sign(key, raw))
        for odd in (b"[]", b"{}", b"\xff", b"[" * 100000, b'{"artifact": {"file": "x"}}'):
            given = dict(good, digest=self.put(odd), signature=self.sign(key, odd))
            self.refuses("what was signed is no bundle", trust.demand, self.store, given)
        os.unlink(self.store.path("blobs", good["digest"]))
        self.refuses("is not on the board", trust.demand, self.store, good, kind="missing")
        with open(self.store.path("blobs", good["digest"]), "wb") as stream:
            stream.write(raw + b" ")
        self.refuses("damaged", trust.demand, self.store, good, kind="damaged")

    def test_what_was_signed_stays_as_long_as_its_deployment(self):
        for number in range(prune.KEEP + 2):
            deployments.deploy(self.store, self.manifest(whole(self.artifact, tool=str(number))))
        waits = self.put(b"of a transfer that goes on")
        prune.trim(self.store)
        kept = {item["digest"] for item in deployments.listing(self.store)}
        self.assertEqual(len(kept), prune.KEEP)
        part, _ = parts.known()["trust/signed"]
        self.assertEqual(set(os.listdir(self.store.path("blobs"))), kept | {self.artifact, waits, part})
        prune.prune(self.store)
        self.assertEqual(set(os.listdir(self.store.path("blobs"))), kept | {self.artifact, part})

    # -- what is trusted

    def test_keys_come_and_go(self):
        key, line = self.make_key("alice")
        _, other = self.make_key("bob")
        self.assertEqual(self.answer("list"), {"asked": False, "keys": [], "changed": False, "refused": None})
        raw = whole(self.artifact)
        deployments.deploy(self.store, self.manifest(raw))
        found = self.answer("add", name="alice@team", key=line)
        self.assertEqual([(item["name"], item["key"]) for item in found["keys"]], [("alice@team", line)])
        self.assertIn("is not signed", found["refused"])
        self.assertEqual(os.stat(self.store.path("trust")).st_mode & 0o077, 0)
        self.assertFalse(self.answer("add", name="again", key=line)["changed"])
        self.refuses(
            "trusts another key named alice@team",
            self.answer,
            "add",
            name="alice@team",
            key=other,
            kind="named",
        )
        self.refuses("is the last key", self.answer, "remove", name="alice@team", kind="last")
        self.answer("add", name="bob", key=other)
        fingerprint = found["keys"][0]["fingerprint"]
        self.assertEqual([item["name"] for item in self.answer("remove", name=fingerprint)["keys"]], ["bob"])
        self.refused("trusts bob SHA256:", self.manifest(raw, signature=self.sign(key, raw)))
        self.refuses("trusts no key alice", self.answer, "remove", name="alice", kind="missing")
        self.assertEqual(self.answer("off")["asked"], False)
        told = [(line["what"], line["name"], line["who"]) for line in history.lines(self.store)]
        self.assertEqual(
            told,
            [
                ("trust", "alice@team", "me"),
                ("trust", "bob", "me"),
                ("untrust", fingerprint, "me"),
                ("untrust", "every key", "me"),
            ],
        )
        self.assertFalse(self.answer("off")["changed"])
        self.assertIsNone(trust.demand(self.store, self.manifest(raw)))

    def test_lines_of_other_hands_stay(self):
        _, line = self.make_key("alice")
        written = (
            b'# \xc3\xa9 \xff\nold@team ssh-rsa AAAA\n\nalice@team valid-after="20200101" ' + line.encode()
        )
        with open(trust.path(self.store), "wb") as stream:
            stream.write(written)
        _, other = self.make_key("bob")
        self.answer("add", name="bob", key=other)
        self.answer("remove", name="alice@team")
        with open(trust.path(self.store), "rb") as stream:
            left = stream.read().split(b"\n")
        self.assertEqual(left[:2], written.split(b"\n")[:2])
        self.assertEqual(left[2].split()[0], b"bob")
        self.assertEqual(len(left), 4)

    def test_one_host_at_a_time_changes_the_list(self):
        _, line = self.make_key("alice")
        other = Store(self.home)
        other.begin = functools.partial(other.begin, 0.0)
        asked = {"do": "add", "name": "a", "key": line}
        self.refuses("another deploy", self.keeper.answer, other, asked, kind="locked")
        self.assertFalse(self.keeper.answer(other, {"do": "list"})["asked"])

    def test_names_and_keys_are_one_word_each(self):
        _, line = self.make_key("alice")
        for name in ("", "a b", "*", "!a", "a,b", 'a"', "#a", "a\n", "a" * 65, None, "é"):
            self.refuses("not a name", self.answer, "add", name=name, key=line, kind="bad-request")
        for key in (
            "",
            None,
            "ssh-ed25519",
            "ssh-rsa AAAA",
            line + "x",
            line + "\nssh-rsa AAAA",
            "x " + line,
        ):
            self.refuses("not an Ed25519", self.answer, "add", name="a", key=key, kind="bad-request")
        self.refuses("no such thing", self.answer, "burn", kind="bad-request")
        self.assertFalse(trust.asked(self.store))

    def test_a_list_that_holds_nothing_trusts_nobody(self):
        os.makedirs(self.store.path("trust"), exist_ok=True)
        given = self.manifest(whole(self.artifact))
        for text in (b"", b"\0\0", b"* ssh-ed25519 !!!\n", b"# none\n", b"a " * 20000):
            with open(trust.path(self.store), "wb") as stream:
                stream.write(text)
            self.refuses(
                "trusts no key at all", trust.demand, self.store, self.manifest(whole(self.artifact))
            )
        os.unlink(trust.path(self.store))
        os.mkdir(trust.path(self.store))
        self.refuses("cannot be read", trust.demand, self.store, given)

    def test_a_line_with_dates_is_held_to_the_clock_of_the_board(self):
        key, line = self.make_key("alice")
        raw = whole(self.artifact)
        good = self.manifest(raw, signature=self.sign(key, raw))
        os.makedirs(self.store.path("trust"), exist_ok=True)
        for dates, taken in (("20000101Z", False), ("20990101Z", True)):
            with open(trust.path(self.store), "w") as stream:
                stream.write(f'alice@team valid-before="{dates}" {line}\n')
            if taken:
                self.assertEqual(trust.demand(self.store, good), "alice@team")
            else:
                self.refuses("does not hold", trust.demand, self.store, good)

    # -- what verifies

    def test_a_board_without_a_fitting_ssh_keygen_never_asks_for_signatures(self):
        _, line = self.make_key("alice")
        for script, words in (
            (None, "no ssh-keygen"),
            ("echo 'unknown option -- Y'; exit 1", "cannot verify signatures: unknown option -- Y"),
            ("exit 0", "it accepts any"),
            ("exit 1", "exit status 1"),
        ):
            with self.program(script):
                self.refuses(words, self.answer, "add", name="alice", key=line)
            self.assertFalse(trust.asked(self.store))

    def test_a_board_that_lost_its_ssh_keygen_takes_nothing(self):
        key, line = self.make_key("alice")
        raw = whole(self.artifact)
        self.answer("add", name="alice@team", key=line)
        good = self.manifest(raw, signature=self.sign(key, raw))
        with self.program(None):
            self.refused("no ssh-keygen", good)
        self.assertTrue(deployments.deploy(self.store, good))

    def program(self, script):
        """Another ssh-keygen in place of the board's, or none."""
        if script is None:
            keygen = sys.modules["edgenet_agent.signed.keygen"]
            return mock.patch.object(keygen.shutil, "which", mock.Mock(return_value=None))
        folder = tempfile.mkdtemp(dir=self.home)
        path = os.path.join(folder, "ssh-keygen")
        with open(path, "w") as stream:
            stream.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)
        return mock.patch.dict(os.environ, {"PATH": folder + os.pathsep + os.environ["PATH"]})


class PartTest(unittest.TestCase):
    def test_it_is_a_part_of_its_own(self):
        self.assertIn("trust/signed", parts.known())
