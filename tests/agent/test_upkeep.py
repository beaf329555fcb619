"""The life of a board. Python 3.6 and unittest: `test_agent_pythons.py` runs this on old Pythons too."""

# ruff: noqa: PT009, PT027

import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

from edgenet_agent import wire
from edgenet_agent.failure import Failure
from edgenet_agent.store import deployments, history
from edgenet_agent.store.home import Store
from edgenet_agent.store.identity import board_id
from edgenet_agent.upkeep import HANDLERS, Upkeep

HOST = {"who": "ada", "host": "laptop", "at": 1000}
RUNTIME = "f" * 64


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


class Build:
    """A build whose runtime is one that lies on the board, so that nothing is imported."""

    def __init__(self, name, data=None, **more):
        self.data = data or b"\x1c\0\0\0TFL3" + name.encode()
        self.digest = digest_of(name.encode())
        self.manifest = {
            "digest": self.digest,
            "name": name,
            "backend": "fake",
            "artifact": digest_of(self.data),
            "artifact_size": len(self.data),
            "runtime": RUNTIME,
            "labels": [],
        }
        self.manifest.update({key: {} for key in ("input", "output", "preprocessing")}, **more)


class Board(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home)
        self.open()
        os.mkdir(self.store.path("runtimes", RUNTIME))

    def open(self):
        """A new connection."""
        self.store = Store(self.home)
        self.upkeep = Upkeep(self.store, lambda header, body=b"": None)
        self.addCleanup(self.store.release)

    def ask(self, kind, **request):
        return HANDLERS[kind](self.upkeep, dict(HOST, **request))

    def refuses(self, kind, call, *arguments, **more):
        with self.assertRaises(Failure) as caught:
            call(*arguments, **more)
        self.assertEqual(caught.exception.kind, kind)
        self.store.release()
        return caught.exception.what

    def send(self, build):
        self.store.begin()
        if not os.path.isfile(self.store.blob_path(build.manifest["artifact"])):
            self.store.put(digest_of(build.data), len(build.data), 0, build.data)

    def deploy(self, *names):
        for name in names:
            build = name if isinstance(name, Build) else Build(name)
            self.send(build)
            self.ask(wire.DEPLOY, manifest=build.manifest)
        return build

    def current(self):
        """The name of the current deployment, as its manifest and its model at the stable path say it."""
        folder = os.path.join(self.home, "current")
        with open(os.path.join(folder, "manifest.json")) as stream:
            manifest = json.load(stream)
        model = [name for name in os.listdir(folder) if name.startswith("model.")]
        self.assertEqual(len(model), 1)
        with open(os.path.join(folder, model[0]), "rb") as stream:
            self.assertEqual(digest_of(stream.read()), manifest["artifact"])
        self.assertEqual(deployments.current(self.store), manifest["digest"])
        return manifest["name"]

    def signal(self):
        with open(os.path.join(self.home, "switched")) as stream:
            return stream.read()

    def told(self):
        """The history: what, name, result."""
        return [
            (line["what"], line["name"], "ok" if line["result"] == "ok" else "failed")
            for line in history.lines(self.store)
        ]


class SwitchTest(Board):
    def test_back_to_the_one_before_and_forth(self):
        self.deploy("a", "b", "c")
        reply = self.ask(wire.SWITCH, what="rollback")
        self.assertEqual((reply["name"], reply["changed"], self.current()), ("b", True, "b"))
        self.assertEqual(self.ask(wire.SWITCH)["name"], "c")
        self.assertEqual(self.current(), "c")
        self.assertEqual(self.told()[-2:], [("rollback", "b", "ok"), ("switch", "c", "ok")])

    def test_to_a_digest_or_how_it_begins(self):
        self.deploy("a", "b", "c")
        self.assertEqual(self.ask(wire.SWITCH, digest=Build("a").digest)["name"], "a")
        self.assertEqual(self.ask(wire.SWITCH, digest=Build("b").digest[:6])["name"], "b")
        self.assertFalse(self.ask(wire.SWITCH, digest=Build("b").digest)["changed"])
        self.assertEqual(self.told()[-1][1], "b", "what changed nothing is not told")
        self.assertEqual(len(self.told()), 5)

    def test_what_is_not_there_is_refused_and_told(self):
        self.refuses("missing", self.ask, wire.SWITCH)
        self.deploy("a")
        self.refuses("missing", self.ask, wire.SWITCH, what="rollback")
        self.refuses("missing", self.ask, wire.SWITCH, digest="0" * 64)
        for wrong in ("..", "", "abc", 7, ["a"], "0" * 65, "A" * 64):
            self.refuses("bad-request", self.ask, wire.SWITCH, digest=wrong)
        self.refuses("bad-request", self.ask, wire.SWITCH, what="two words")
        self.assertEqual(self.current(), "a")
        self.assertIn(("rollback", None, "failed"), self.told())

    def test_a_beginning_of_two_is_refused(self):
        self.deploy(*map(str, range(40)))
        with mock.patch("edgenet_agent.store.deployments.listing") as listing:
            listing.return_value = [{"digest": "abcd" + end * 60} for end in "01"]
            self.assertIn(
                "2 deployments begin", self.refuses("bad-request", self.ask, wire.SWITCH, digest="abcd")
            )

    def test_a_deleted_build_is_named_and_what_is_current_stays(self):
        self.deploy("a", "b")
        os.unlink(self.store.blob_path(Build("a").manifest["artifact"]))
        what = self.refuses("missing", self.ask, wire.SWITCH, what="rollback")
        self.assertIn("a ({})".format(Build("a").digest[:12]), what)
        self.assertEqual((self.current(), self.told()[-1]), ("b", ("rollback", "a", "failed")))

    def test_a_damaged_build_is_named_and_what_is_current_stays(self):
        self.deploy("a", "b")
        with open(self.store.blob_path(Build("a").manifest["artifact"]), "r+b") as stream:
            stream.write(b"x")
        self.assertIn("damaged", self.refuses("damaged", self.ask, wire.SWITCH))
        self.assertEqual(self.current(), "b")
        self.deploy("a")
        self.assertEqual(self.current(), "a")

    def test_a_runtime_that_is_gone_is_named(self):
        self.deploy("a", "b")
        os.rmdir(self.store.path("runtimes", RUNTIME))
        self.assertIn("runtime", self.refuses("missing", self.ask, wire.SWITCH))
        self.assertEqual(self.current(), "b")

    def test_only_to_what_the_same_tool_deployed(self):
        self.deploy(Build("a", tool="edgenet 1"), "b")
        digest = Build("a").digest
        self.refuses("missing", self.ask, wire.SWITCH, digest=digest, what="deploy", tool="edgenet 2")
        self.refuses("missing", self.ask, wire.SWITCH, digest="0" * 64, what="deploy", tool="edgenet 2")
        self.assertEqual(len(self.told()), 2, "that another way is gone is no news")
        self.assertTrue(self.ask(wire.SWITCH, digest=digest, what="deploy", tool="edgenet 1")["changed"])
        self.assertEqual(self.told()[-1], ("deploy", "a", "ok"))

    def test_a_card_without_any_room(self):
        self.deploy("a", "b")
        full = mock.Mock(side_effect=OSError(28, "No space left on device"))
        with mock.patch("os.symlink", full), mock.patch.object(history, "_write", full):
            self.assertEqual(self.ask(wire.SWITCH)["name"], "a")
        self.assertEqual((self.current(), self.signal()), ("a", Build("a").digest + "\n"))

    def test_clocks_that_are_wrong_by_years_change_no_order(self):
        for name, at in (("a", 4e9), ("b", 0.0), ("c", 1e9)):
            with mock.patch("time.time", lambda at=at: at):
                self.deploy(name)
        status = self.ask(wire.STATUS)
        self.assertEqual([item["name"] for item in status["deployments"]], ["c", "b", "a"])
        self.assertEqual(status["previous"]["name"], "b")


class StablePathTest(Board):
    def test_an_older_agents_deployment_gets_it_with_its_next_switch(self):
        self.deploy("a", "b")
        for name in (self.home + "/current", self.home + "/switched", self.home + "/history.jsonl"):
            os.unlink(name)
        for name in "ab":
            folder = self.store.path("deployments", Build(name).digest)
            os.unlink(folder + "/model.tflite")
            os.unlink(folder + ".link")
        self.ask(wire.SWITCH, digest=Build("a").digest)
        self.assertEqual((self.current(), self.signal()), ("a", Build("a").digest + "\n"))
        self.assertEqual(self.told(), [("found", "b", "ok"), ("switch", "a", "ok")])

    def test_what_an_older_agent_deployed_since_is_there_before_it_is_told(self):
        self.deploy("a", "b")
        folder = self.store.path("deployments", Build("c").digest)
        self.send(Build("c"))
        self.store.release()
        os.mkdir(folder)
        with open(folder + "/manifest.json", "w") as stream:
            json.dump(Build("c").manifest, stream)
        os.symlink(Build("c").digest, folder + ".new")
        os.replace(folder + ".new", self.store.path("deployments", "current"))
        self.open()
        self.assertEqual(self.ask(wire.STATUS)["current"]["name"], "c")
        self.assertEqual((self.current(), self.signal()), ("c", Build("c").digest + "\n"))
        self.assertEqual(self.told()[-1], ("found", "c", "ok"))

    def test_the_name_says_what_the_file_is(self):
        for build, name in (
            (Build("a"), "model.tflite"),
            (Build("b", b"onnx of an older agent"), "model.onnx"),
            (Build("c", b"anything", file="model.bin"), "model.bin"),
            (Build("d", b"anything", file="../../model.bin"), "model.onnx"),
        ):
            self.deploy(build)
            self.assertTrue(os.path.isfile(os.path.join(self.home, "current", name)), name)
        self.deploy(Build("d", b"anything", file="model.xyz"))
        self.assertEqual(self.current(), "d")

    def test_folders_on_another_disk(self):
        other = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, other)
        os.makedirs(other + "/deep/er")
        for name, place in (("deployments", other + "/deep/er/d"), ("blobs", other + "/b")):
            os.rename(self.store.path(name), place)
            os.symlink(place, self.store.path(name))
        self.deploy("a", "b")
        self.assertEqual(self.current(), "b")

    def test_the_engine_that_the_board_made(self):
        build = Build("a", build={"precision": "fp16"})
        os.mkdir(self.store.path("engines"))
        for key in ("k1", "k2"):
            for name in os.listdir(self.store.path("engines")):
                os.unlink(self.store.path("engines", name))
            self.engine(key, build.digest, build.manifest["artifact"])
            if key == "k1":
                self.deploy(build)
            else:
                deployments.relink(self.store, build.manifest)
            with open(self.home + "/current/model.engine") as stream:
                self.assertEqual(stream.read(), key)

    def test_an_engine_of_another_graph_is_not_the_deployments(self):
        build = Build("a", build={"precision": "fp16"})
        os.mkdir(self.store.path("engines"))
        self.engine("k1", build.digest, build.manifest["artifact"])
        self.engine("k2", build.digest, "0" * 64)
        self.deploy(build)
        with open(self.home + "/current/model.engine") as stream:
            self.assertEqual(stream.read(), "k1")

    def engine(self, key, bundle, graph):
        what = {"what": {"bundle": bundle, "graph": graph}}
        for suffix, text in ((".engine", key), (".json", json.dumps(what))):
            with open(self.store.path("engines", key + suffix), "w") as stream:
                stream.write(text)

    def test_the_signal_is_written_once_a_switch(self):
        self.deploy("a")
        path = self.home + "/switched"
        os.utime(path, (1, 1))
        for _ in range(2):
            self.deploy("a")
            self.ask(wire.STATUS)
        self.assertEqual(os.stat(path).st_mtime, 1)
        self.deploy("b")
        self.assertEqual(self.signal(), Build("b").digest + "\n")

    def test_nothing_dangles_after_prune_and_remove(self):
        self.deploy("a", "b", "c", "d")
        self.ask(wire.REMOVE, digest=Build("c").digest)
        self.ask(wire.PRUNE, keep=2)
        self.assertEqual(self.current(), "d")
        for folder, folders, files in os.walk(self.home):
            for name in folders + files:
                self.assertTrue(os.path.exists(os.path.join(folder, name)), name)


class RemovalTest(Board):
    def test_prune_keeps_the_current_one_and_the_newest(self):
        self.deploy("a", "b", "c", "d")
        self.ask(wire.SWITCH, digest=Build("a").digest)
        removed = self.ask(wire.PRUNE, keep=2)["removed"]
        self.assertEqual(sorted(item["name"] for item in deployments.listing(self.store)), ["a", "d"])
        self.assertEqual(len(removed), 4, removed)
        self.assertEqual(len(os.listdir(self.store.path("blobs"))), 2)
        self.assertEqual(self.ask(wire.PRUNE, keep=2)["removed"], [])
        for wrong in (0, -1):
            self.refuses("bad-request", self.ask, wire.PRUNE, keep=wrong)

    def test_what_a_cut_removal_left_hinders_no_later_one(self):
        self.deploy("a", "b")
        shutil.copytree(
            self.store.path("deployments", Build("a").digest),
            self.store.path("deployments", Build("a").digest + ".gone"),
            symlinks=True,
        )
        self.ask(wire.REMOVE, digest=Build("a").digest)
        self.assertEqual(sorted(os.listdir(self.store.path("deployments"))), sorted(self.links("b")))

    def test_a_damaged_manifest_stops_nothing_and_what_runs_stays(self):
        for damage in (b"", b"[" * 100000, b"\xff" * 9):
            build = self.deploy("a", "b")
            path = self.store.path("deployments", build.digest, "manifest.json")
            with open(path, "wb") as stream:
                stream.write(damage)
            self.open()
            self.assertIsNone(self.ask(wire.STATUS)["current"])
            self.ask(wire.PRUNE, keep=1)
            with open(os.path.join(self.home, "current", "model.tflite"), "rb") as stream:
                self.assertEqual(stream.read(), build.data)
            self.deploy("c")
            self.assertEqual(self.current(), "c")

    def links(self, name):
        digest = Build(name).digest
        return [digest, digest + ".link", "current"]

    def test_the_current_one_is_removed_only_with_force(self):
        self.deploy("a", "b")
        self.refuses("current", self.ask, wire.REMOVE, digest=Build("b").digest)
        self.assertEqual(self.current(), "b")
        self.ask(wire.REMOVE, digest=Build("b").digest[:8], force=True)
        self.assertIsNone(self.ask(wire.STATUS)["current"])
        self.assertEqual(self.signal(), "-\n")
        self.assertFalse(os.path.lexists(self.home + "/current"))
        self.assertEqual(self.ask(wire.SWITCH)["name"], "a")
        self.assertEqual(self.current(), "a")

    def test_what_others_use_stays(self):
        self.deploy(Build("a", b"same"), Build("b", b"same"))
        removed = self.ask(wire.REMOVE, digest=Build("a").digest)["removed"]
        self.assertEqual(len(removed), 1)
        self.assertEqual(self.current(), "b")

    def test_a_placed_one_waits_and_becomes_current(self):
        self.deploy("a")
        self.send(Build("b"))
        self.ask(wire.PLACE, manifest=Build("b").manifest)
        self.assertEqual(self.current(), "a")
        self.assertIsNone(self.ask(wire.STATUS)["previous"], "it was never current")
        self.store.release()
        self.ask(wire.SWITCH, digest=Build("b").digest)
        self.assertEqual(self.ask(wire.STATUS)["previous"]["name"], "a")

    def test_rollouts_leave_no_more_behind_than_deploys_and_never_take_what_runs(self):
        self.deploy("a")
        for name in "bcdefgh":  # placed, and refused by a check
            self.send(Build(name))
            self.ask(wire.PLACE, manifest=Build(name).manifest)
            self.assertEqual(self.current(), "a")
        self.ask(wire.SWITCH, digest=Build("h").digest, what="rollout")
        told = self.ask(wire.STATUS)
        self.assertEqual([item["name"] for item in told["deployments"]], ["h", "g", "f", "a"])
        self.assertEqual((told["current"]["name"], told["previous"]["name"]), ("h", "a"))
        self.assertEqual(told["current"]["by"], "ada")
        self.assertEqual(told["history"][0]["what"], "rollout")

    def test_only_one_at_a_time(self):
        self.deploy("a", "b")
        other = Store(self.home)
        other.begin()
        self.addCleanup(other.release)
        for kind, more in ((wire.SWITCH, {}), (wire.PRUNE, {"keep": 1}), (wire.REMOVE, {"digest": "0000"})):
            self.refuses("locked", self.ask, kind, wait=0.0, **more)
        self.assertEqual(self.ask(wire.STATUS)["current"]["name"], "b")


class CutTest(Board):
    """The process ends, without a word, between any two of its steps."""

    STEPS = (
        "replace",
        "rename",
        "link",
        "symlink",
        "unlink",
        "rmdir",
        "fsync",
        "write",
        "mkdir",
        "ftruncate",
    )

    def cut(self, number, work):
        """Do the work in a process that ends before its step of this number; whether it got to its end."""
        child = os.fork()
        if child:
            return os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 0
        try:
            left = [number]

            def stepping(function):
                def step(*arguments, **more):
                    left[0] -= 1
                    if left[0] < 0:
                        os._exit(9)
                    return function(*arguments, **more)

                return step

            for name in self.STEPS:
                setattr(os, name, stepping(getattr(os, name)))
            self.open()
            work()
            os._exit(0)
        finally:
            os._exit(1)

    def every_cut(self, work, allowed):
        self.store.release()
        kept = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, kept)
        shutil.copytree(self.home, kept + "/home", symlinks=True)
        for number in range(200):
            done = self.cut(number, work)
            self.assertIn(self.current(), allowed)
            before = self.current()
            self.open()
            status = self.ask(wire.STATUS)
            self.assertEqual(status["current"]["name"], before)
            self.assertEqual(self.signal(), status["current"]["digest"] + "\n")
            known = [line["digest"] for line in history.lines(self.store) if line["what"] in history.ARRIVALS]
            self.assertEqual(known[-1], status["current"]["digest"], "the history ends with what is current")
            if "missing" not in allowed:
                self.deploy("z")
                self.assertEqual((self.current(), self.ask(wire.STATUS)["previous"]["name"]), ("z", before))
            self.store.release()
            shutil.rmtree(self.home)
            shutil.copytree(kept + "/home", self.home, symlinks=True)
            if done:
                return number
        raise AssertionError("the work has no end")

    def test_a_deploy(self):
        self.deploy("a")
        self.send(Build("b"))
        work = lambda: (self.store.begin(), self.ask(wire.DEPLOY, manifest=Build("b").manifest))  # noqa: E731
        self.assertGreater(self.every_cut(work, ("a", "b")), 8)

    def test_a_deploy_that_forgets_an_old_one(self):
        self.deploy("a", "b", "c", "d")
        self.send(Build("e"))
        work = lambda: (self.store.begin(), self.ask(wire.DEPLOY, manifest=Build("e").manifest))  # noqa: E731
        self.assertGreater(self.every_cut(work, ("d", "e")), 12)

    def test_a_rollback(self):
        self.deploy("a", "b")
        self.assertGreater(self.every_cut(lambda: self.ask(wire.SWITCH), ("a", "b")), 4)

    def test_prune_and_remove(self):
        self.deploy("a", "b", "c")
        self.assertGreater(self.every_cut(lambda: self.ask(wire.PRUNE, keep=1), ("c",)), 8)
        work = lambda: self.ask(wire.REMOVE, digest=Build("b").digest)  # noqa: E731
        self.assertGreater(self.every_cut(work, ("c",)), 4)


class CheckTest(Board):
    def check(self, command, seconds=20.0):
        self.deploy("a")
        return self.ask(wire.CHECK, digest=Build("a").digest, command=command, timeout_s=seconds)

    def test_it_is_told_what_to_look_at(self):
        found = self.check(
            'cmp "$EDGENET_ARTIFACT" model.tflite && grep -c $EDGENET_DIGEST "$EDGENET_MANIFEST"'
        )
        self.assertEqual(found, {"exit_status": 0, "timed_out": False, "lines": ["1"]})

    def test_it_can_say_no(self):
        found = self.check("echo to stdout; echo to stderr >&2; exit 3")
        self.assertEqual((found["exit_status"], sorted(found["lines"])), (3, ["to stderr", "to stdout"]))

    def test_of_endless_words_the_last_are_kept(self):
        found = self.check("head -c 9000000 /dev/zero | tr '\\0' x; echo; echo last")
        self.assertEqual((found["exit_status"], found["lines"][-1]), (0, "last"))
        self.assertLessEqual(len("".join(found["lines"])), 4096)

    def test_it_is_ended_with_all_that_it_started(self):
        began = time.time()
        found = self.check("(sleep 60; echo late) & echo $!; sleep 60", 0.3)
        self.assertTrue(found["timed_out"])
        self.assertLess(time.time() - began, 20)
        self.gone(int(found["lines"][0]))
        found = self.check("sleep 60 >/dev/null 2>&1 & echo $!")
        self.assertEqual(found["exit_status"], 0)
        self.gone(int(found["lines"][0]))

    def gone(self, process):
        """A process has ended, or ends now; a zombie that nobody waits for is no process."""
        for _ in range(100):
            try:
                with open(f"/proc/{process}/stat") as stream:
                    if ") Z " in stream.read():
                        return
            except OSError:
                return
            time.sleep(0.05)
        self.fail("it runs on")


class TellingTest(Board):
    def test_a_note_and_the_last_report(self):
        build = self.deploy("a")
        self.ask(wire.NOTE, what="profile", digest=build.digest, result="ok", told={"fps": 30.5})
        self.ask(wire.NOTE, what="check", digest="0" * 64, name="other", result="its answers differ")
        status = self.ask(wire.STATUS)
        self.assertEqual((status["last_report"]["fps"], status["last_report"]["at"]), (30.5, None))
        self.assertEqual([line["name"] for line in status["history"]], ["other", "a", "a"])
        self.assertEqual(len(self.ask(wire.STATUS, lines=1)["history"]), 1)
        for wrong in ({"told": 3}, {"what": "x\ny"}, {"digest": "x"}, {"told": {"x": "y" * 9000}}):
            asked = dict({"what": "w", "digest": build.digest, "result": "ok"}, **wrong)
            self.refuses("bad-request", self.ask, wire.NOTE, **asked)

    def test_status_of_a_board_that_has_nothing(self):
        status = self.ask(wire.STATUS)
        self.assertEqual((status["current"], status["previous"], status["deployments"]), (None, None, []))
        self.assertFalse(os.path.exists(self.home + "/switched"))

    def test_a_board_keeps_its_name_and_a_copied_card_does_not(self):
        serial = os.path.join(self.home, "serial")
        first = board_id(self.store, serial)
        self.assertEqual(board_id(Store(self.home), serial), first)
        with open(serial, "w") as stream:
            stream.write("1000000012345678\0")
        second = board_id(self.store, serial)
        self.assertNotEqual(second, first)
        self.assertEqual(board_id(self.store, serial), second)
        with open(self.store.path("board.json"), "w") as stream:
            stream.write("[]")
        self.assertEqual(len(board_id(self.store, serial)), 32)

    def test_a_board_that_is_asked_twice_at_once_gives_itself_one_name(self):
        """As where a fleet has two names for it, and both are reached for the first time."""
        start, names = threading.Barrier(8), []

        def ask():
            start.wait()
            names.append(board_id(Store(self.home)))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(names), len(set(names))), (8, 1))


if __name__ == "__main__":
    unittest.main()
    sys.exit()
