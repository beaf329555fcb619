"""What the page asks beside frames: own pictures, sources, clips; standard library alone, on every Python."""

# ruff: noqa: E402, PT027

import io
import json
import os
import socket
import struct
import threading
import time
import unittest
from unittest import mock

import edgenet_agent

edgenet_agent.__path__.append(os.path.join(os.environ["EDGENET_TEST_DEMO"], "edgenet_agent"))

from edgenet_agent.demo import body, clip
from edgenet_agent.demo.frame import Slot
from edgenet_agent.demo.sources import offers
from edgenet_agent.demo.sources.base import Ended, Lost, Source
from edgenet_agent.demo.sources.switch import Switch
from edgenet_agent.failure import Failure

from . import test_demo


class FirstTest(unittest.TestCase):
    def test_what_goes_first_is_taken_first_and_replaced_by_nothing(self):
        slot = Slot()
        slot.put("frame")
        slot.put_first("question")
        assert slot.put("newer") == "frame"
        assert [slot.take(0.01) for _ in range(3)] == ["question", "newer", None]

    def test_a_closed_slot_is_not_over_while_something_goes_first(self):
        slot = Slot()
        slot.put_first("question")
        slot.close()
        assert not slot.over
        assert (slot.take(), slot.over) == ("question", True)


class BodyTest(unittest.TestCase):
    def test_it_is_read_whole_or_refused(self):
        data = bytes(bytearray(range(256))) * 1000
        assert body.Body(io.BytesIO(data + b"next"), len(data)).read() == data
        with self.assertRaisesRegex(ValueError, "whole"):
            body.Body(io.BytesIO(data[:-1]), len(data)).read()

    def test_what_is_refused_is_taken_in_and_nothing_of_the_next(self):
        stream = io.BytesIO(b"x" * 200000 + b"next")
        body.Body(stream, 200000).forget()
        assert stream.read() == b"next"


class ClipTest(unittest.TestCase):
    def fill(self, made, count, size=(64, 48), step=0.1, data=b"\xff\xd8 picture"):
        for number in range(count):
            made.add(number * step, data + b"." * (number % 2), "jpeg", size)

    def test_the_file_holds_the_pictures_as_they_are_and_says_where(self):
        made = clip.Clip()
        self.fill(made, 50)
        seconds, pieces = made.video()
        data = b"".join(pieces)
        assert abs(seconds - 5.0) < 1e-6
        parts = riff(data)
        assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
        main = struct.unpack("<14I", parts[b"avih"][0])
        assert (main[0], main[4], main[8:10]) == (100000, 50, (64, 48))
        stream = struct.unpack("<4s4sIHH8I4H", parts[b"strh"][0])
        assert stream[:2] == (b"vids", b"MJPG")
        assert float(stream[7]) / stream[6] == 10.0
        assert struct.unpack_from("<Iii", parts[b"strf"][0]) == (40, 64, 48)
        assert parts[b"00dc"] == [b"\xff\xd8 picture" + b"." * (n % 2) for n in range(50)]
        movie = data.index(b"movi")
        for entry, picture in enumerate(parts[b"00dc"]):
            name, _, offset, size = struct.unpack_from("<4sIII", parts[b"idx1"][0], 16 * entry)
            assert (name, size) == (b"00dc", len(picture))
            assert data[movie + offset : movie + offset + 4] == b"00dc"

    def test_it_is_bounded_in_seconds_rate_and_bytes(self):
        made = clip.Clip()
        self.fill(made, 3000, step=0.01)
        seconds, pieces = made.video()
        assert 9.5 < seconds < 10.5
        assert 50 < len(riff(b"".join(pieces))[b"00dc"]) <= clip.SECONDS * clip.FPS + 1
        self.fill(made, 40, size=(4000, 3000), data=b"x" * (1 << 20))
        assert sum(map(len, made.video()[1])) <= clip.ROOM + 10000

    def test_another_size_begins_anew(self):
        made = clip.Clip()
        assert made.video() is None
        self.fill(made, 20)
        made.add(99.0, b"one", "jpeg", (10, 10))
        assert made.video() is None


def riff(data):
    """The chunks of a RIFF file by name, lists opened."""
    found = {}

    def walk(begin, end):
        while begin + 8 <= end:
            name, size = struct.unpack_from("<4sI", data, begin)
            if name in (b"RIFF", b"LIST"):
                walk(begin + 12, begin + 8 + size)
            else:
                found.setdefault(name, []).append(data[begin + 8 : begin + 8 + size])
            begin += 8 + size + size % 2

    walk(0, len(data))
    return found


LOG: list = []


class Numbers(Source):
    """A source that gives its order's name until it is told to end."""

    def __init__(self, options):
        Source.__init__(self, options)
        self.name, self.told = options["kind"], threading.Event()
        LOG.append("open " + self.name)

    def read(self):
        if self.told.wait(0.01):
            raise Ended()
        return self.name

    def interrupt(self):
        self.told.set()

    def close(self):
        LOG.append("close " + self.name)

    def look(self, wanted):
        LOG.append("look" if wanted else "look away")


class SwitchTest(unittest.TestCase):
    def setUp(self):
        self.broken = set()
        LOG.clear()
        self.switch = Switch({"kind": "a"}, self.opened)

    def opened(self, order):
        if order["kind"] in self.broken:
            raise Failure("source", order["kind"] + " is not there", "plug it in")
        return Numbers(order)

    def choose(self, kind):
        """Choose while a reader reads; what was refused, and what is read then."""
        over, seen, refused = threading.Event(), [], []

        def read():
            while not over.is_set():
                try:
                    seen.append(self.switch.read())
                except (Ended, Lost) as error:
                    seen.append(type(error).__name__)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            self.switch.choose({"kind": kind})
        except Failure as failure:
            refused.append(failure.what)
        over.set()
        reader.join(5)
        assert not reader.is_alive()
        return refused, self.switch.read()

    def test_the_next_picture_is_of_the_source_that_was_chosen(self):
        self.switch.look(True)
        assert self.choose("b") == ([], "b")
        assert self.switch.order == {"kind": "b"}
        assert self.switch.name == "b"
        assert LOG == ["open a", "look", "close a", "open b", "look"], "who looks, looks on"

    def test_a_source_that_cannot_begin_leaves_the_one_before(self):
        self.broken.add("b")
        assert self.choose("b") == (["b is not there"], "a")
        assert self.switch.order == {"kind": "a"}

    def test_where_neither_begins_it_is_lost_until_it_is_back(self):
        self.broken.update("ab")
        with self.assertRaisesRegex(Lost, "a is not there"):
            self.switch._wanted = {"kind": "b"}
            self.switch.read()
        self.switch.reopen()
        with self.assertRaises(Lost):
            self.switch.read()
        self.broken.clear()
        self.switch.reopen()
        assert self.switch.read() == "a"

    def test_the_end_of_a_source_is_the_end(self):
        self.switch.interrupt()
        with self.assertRaises(Ended):
            self.switch.read()


class OffersTest(unittest.TestCase):
    def patch(self, module, name, value):
        patcher = mock.patch.object(module, name, return_value=value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_the_host_s_orders_come_first_and_no_secret_is_told(self):
        given = [
            {"kind": "address", "address": "rtsp://user:secret@host/x?pwd=secret"},
            {"kind": "synthetic", "paths": ["/blobs/1"]},
            {"kind": "folder", "name": "photos", "paths": ["/a/1.jpg", "/a/2.jpg"]},
        ]
        offered, lacking = offers.offers(given)
        told = [(key, name) for key, name, _ in offered]
        assert told[:3] == [
            ("address", "rtsp://user:***@host/x?***"),
            ("synthetic", "synthetic camera"),
            ("folder", "photos"),
        ]
        assert [order for _, _, order in offered[:3]] == given
        assert "secret" not in json.dumps([told, lacking])
        assert all(name and why for name, why in lacking)

    def test_a_camera_that_was_named_is_there_once_with_its_wishes(self):
        given = [{"kind": "v4l2", "paths": ["/dev/video0"], "size": [1280, 720]}]
        found = [("v4l2", ["/dev/video0"]), ("v4l2", ["/dev/video2"]), ("rpicam", [])]
        names = ["video0 HD Pro Webcam C920", "video2"]
        self.patch(offers, "cameras", found)
        self.patch(offers.board, "cameras", names)
        offered, lacking = offers.offers(given)
        assert [(key, name) for key, name, _ in offered] == [
            ("v4l2 /dev/video0", "HD Pro Webcam C920 (/dev/video0)"),
            ("v4l2 /dev/video2", "camera (/dev/video2)"),
            ("rpicam", "Raspberry Pi camera (rpicam-vid)"),
        ]
        assert offered[0][2] == given[0]
        assert offered[2][2] == {"kind": "rpicam", "paths": [], "size": [1280, 720], "fps": None}
        assert "USB camera" not in [name for name, _ in lacking]


class Answering(test_demo.Demo):
    """A demo that answers pictures, or refuses them."""

    refusal = None

    def look_at(self, asked):
        if self.refusal is not None:
            raise self.refusal
        return {"bytes": len(asked.read())}

    def clip(self):
        return (1.5, [b"RIFF", b"avi"]) if self.numbers else None

    def sources(self):
        return {"offers": [], "lacking": []}

    def thumbnail(self, index):
        return (b"small", "jpeg") if index == 7 else None

    def act(self, name, values):
        raise Failure("source", "no picture from rtsp://user:secret@host", "see its cable")


class RequestsTest(unittest.TestCase):
    def setUp(self):
        self.demo = Answering()
        self.server = test_demo.server.Server(self.demo)
        self.server.start()
        self.port, self.keys = self.server.port, self.server.keys
        self.bearer = {"Authorization": "Bearer " + self.keys.key}

    tearDown, ask = test_demo.ServerTest.tearDown, test_demo.ServerTest.ask

    def test_a_picture_is_answered_for_who_has_the_key(self):
        status, _, found = self.ask("POST", "/look", self.bearer, b"x" * 300000)
        assert (status, json.loads(found.decode("utf-8"))) == (200, {"bytes": 300000})
        assert self.ask("POST", "/look", {}, b"x" * 10)[0] == 403

    def test_a_picture_has_a_size_and_a_small_one(self):
        for size in (str(body.MAX_BYTES + 1), "-1", "", "1e3", "9" * 30):
            assert self.ask("POST", "/look", dict(self.bearer, **{"Content-Length": size}))[0] == 413, size

    def test_why_it_is_refused_is_heard_although_nobody_read_it(self):
        self.demo.refusal = body.Refused(429, "another picture is being answered; try again")
        status, headers, why = self.ask("POST", "/look", self.bearer, b"x" * (4 << 20))
        assert (status, headers["Connection"]) == (429, "close")
        assert why == b"another picture is being answered; try again\n"

    def test_a_source_that_cannot_be_used_is_a_sentence_without_secrets(self):
        status, _, why = self.ask("POST", "/do", self.bearer, b'{"do": "source", "id": "rpicam"}')
        assert (status, why) == (409, b"no picture from rtsp://user:***@host: see its cable\n")

    def test_a_clip_says_how_long_it_is(self):
        assert self.ask("GET", "/clip.avi", self.bearer)[0] == 404
        self.demo.numbers = 1
        status, headers, data = self.ask("GET", "/clip.avi", self.bearer)
        assert (status, data) == (200, b"RIFFavi")
        assert (headers["X-Seconds"], headers["Content-Type"]) == ("1.5", "video/x-msvideo")

    def test_clips_that_nobody_takes_are_few(self):
        """Each holds its pictures in the board's memory."""
        self.demo.clip = lambda: (1.0, [b"x" * 50000000])
        held = [self.stalled("/clip.avi") for _ in range(test_demo.server.MAX_CLIPS)]
        status, _, why = self.ask("GET", "/clip.avi", self.bearer)
        assert (status, why) == (429, b"other clips are being downloaded; try again in a moment\n")
        for viewer in held:
            viewer.close()
        del self.demo.clip
        deadline = time.monotonic() + 20
        while self.ask("GET", "/clip.avi", self.bearer)[0] != 404:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stalled(self, path):
        """A viewer who reads the beginning of an answer and nothing more."""
        viewer = socket.create_connection(("127.0.0.1", self.port), 20)
        self.addCleanup(viewer.close)
        viewer.sendall(test_demo.ServerTest.request(self, path))
        assert test_demo.read(viewer, 12) == b"HTTP/1.1 200"
        return viewer

    def test_a_gallery_has_numbers_only(self):
        assert self.ask("GET", "/gallery/7", self.bearer)[2] == b"small"
        for path in ("/gallery/", "/gallery/8", "/gallery/-7", "/gallery/7/..", "/gallery/99999"):
            assert self.ask("GET", path, self.bearer)[0] == 404, path

    def test_all_of_it_needs_the_key(self):
        for path in ("/clip.avi", "/sources", "/gallery/7"):
            assert self.ask("GET", path)[0] == 403
            assert self.ask("GET", path, dict(self.bearer, Origin="http://evil.example"))[0] == 403
