"""The board's history. Python 3.6 and unittest: `test_agent_pythons.py` runs this on old Pythons too."""

# ruff: noqa: PT009, PT027

import hashlib
import json
import os
import shutil
import tempfile
import unittest
from unittest import mock

from edgenet_agent.failure import FULL, Failure
from edgenet_agent.store import history
from edgenet_agent.store.home import Store

HOST = {"who": "ada", "host": "laptop", "at": 1000}


def about(name):
    return {"digest": hashlib.sha256(name.encode()).hexdigest(), "name": name}


class HistoryCase(unittest.TestCase):
    def setUp(self):
        self.store = Store(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.store.home)

    def add(self, name, what="deploy", **more):
        history.add(self.store, HOST, what, about(name), **more)

    def names(self):
        return [line["name"] for line in history.lines(self.store)]

    def path(self, name=history.FILE):
        return self.store.path(name)

    def test_a_line_says_who_did_what_from_where_and_when_by_both_clocks(self):
        with mock.patch("time.time", return_value=7.04):
            self.add("a", told={"x": 1})
        line = {"n": 1, "at_board": 7.0, "at_host": 1000, "who": "ada", "host": "laptop", "what": "deploy"}
        line.update(about("a"), result="ok", told={"x": 1})
        self.assertEqual(history.lines(self.store), [line])

    def test_the_order_is_that_of_the_lines_however_the_clocks_jump(self):
        for at, name in ((9e9, "a"), (0, "b"), (5e8, "c"), (-3.0, "a")):
            with mock.patch("time.time", lambda at=at: at):
                history.add(self.store, dict(HOST, at=at), "deploy", about(name))
        self.assertEqual(history.newest(history.lines(self.store)), [about(x)["digest"] for x in "acb"])
        self.assertIsNone(history.lines(self.store)[-1]["at_host"])

    def test_a_cut_at_any_byte_costs_the_last_line_at_most_and_the_next_is_whole(self):
        self.add("a")
        size = os.path.getsize(self.path())
        self.add("b")
        with open(self.path(), "rb") as stream:
            whole = stream.read()
        for end in range(size, len(whole)):
            with open(self.path(), "wb") as stream:
                stream.write(whole[:end])
            self.add("c")
            found = self.names()
            # All of a line may be there but for its end: then it counts.
            self.assertIn(found, (["a", "c"], ["a", "b", "c"]) if end == len(whole) - 1 else (["a", "c"],))

    def test_what_is_no_line_is_skipped(self):
        self.add("a")
        with open(self.path(), "ab") as stream:
            for other in (b"\xff\x00\n", b"[]\n", b"{}\n", b"[" * 3000 + b"\n", b'{"n": true}\n', b"\n\n"):
                stream.write(other)
            line = history.lines(self.store)[0]
            deep = {"x": [[[[[1]]]]]}
            for wrong in (
                {"n": "x"}, {"n": 1e400}, {"n": -65}, {"who": 3}, {"digest": "../x"}, {"told": []},
                {"told": deep}, {"told": {"x": float("nan")}}, {"at_host": float("inf")},
                {"name": "x" * 301}, {"what": None},
            ):  # fmt: skip
                stream.write(json.dumps(dict(line, **wrong)).encode() + b"\n")
        self.add("b")
        self.assertEqual(self.names(), ["a", "b"])

    def test_it_is_bounded_and_keeps_how_each_deployment_came_and_the_last_report(self):
        os.mkdir(self.store.path("deployments", about("old")["digest"]))
        self.add("old")
        self.add("gone")
        self.add("old", "profile", told={"fps": 3})
        with mock.patch.object(history, "BOUND", 4096):
            for number in range(100):
                self.add(f"n{number}", "check", result="failed")
                self.assertLess(os.path.getsize(self.path()), 4096 + 1024)
        known = history.lines(self.store)
        self.assertLess(len(known), 60)
        self.assertEqual(list(history.arrivals(known)), [about("old")["digest"]])
        report = {"at": None, "fps": 3, "p99_ms": None, "digest": None, "verdict": None}
        self.assertEqual(history.last_report(known), report)
        self.assertEqual([line["n"] for line in known], sorted({line["n"] for line in known}))

    def test_a_card_without_room_gives_the_older_half_up_but_not_what_is_needed(self):
        os.mkdir(self.store.path("deployments", about("old")["digest"]))
        self.add("old")
        os.rename(self.path(), self.path(history.OLDER))
        write, failures = history._write, [OSError(FULL[0], "full")]

        def full_once(path, data):
            if failures:
                raise failures.pop()
            write(path, data)

        with mock.patch.object(history, "_write", full_once):
            self.add("new")
        self.assertFalse(os.path.exists(self.path(history.OLDER)))
        self.assertEqual(self.names(), ["old", "new"])

    def test_a_card_without_any_room_costs_the_line_and_no_more(self):
        self.add("a")
        with mock.patch.object(history, "_write", side_effect=OSError(FULL[0], "full")):
            self.add("b")
        self.assertEqual(self.names(), ["a"])

    def test_a_line_that_is_too_long_is_refused(self):
        with self.assertRaises(Failure):
            self.add("a", told={"x": "y" * 5000})
        self.assertEqual(self.names(), [])

    def test_many_writers_at_once_lose_no_line(self):
        children = []
        for writer in range(4):
            child = os.fork()
            if not child:
                for number in range(20):
                    history.add(Store(self.store.home), HOST, "deploy", about(f"{writer}-{number}"))
                os._exit(0)
            children.append(child)
        for child in children:
            self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(len(set(self.names())), 80)

    def test_what_older_agents_kept_comes_first(self):
        kept = [dict(about("b"), **{"from": "ada@laptop", "at": 5}), about("a")["digest"], {"x": 1}, 3]
        with open(self.store.path("deployments", "history.json"), "w") as stream:
            json.dump(kept, stream)
        self.add("c")
        known = history.lines(self.store)
        self.assertEqual([line["name"] for line in known], [None, "b", "c"])
        self.assertEqual([known[1][key] for key in ("who", "host", "at_host")], ["ada", "laptop", 5])
        self.assertEqual(history.newest(known), [about(x)["digest"] for x in "cba"])


if __name__ == "__main__":
    unittest.main()
