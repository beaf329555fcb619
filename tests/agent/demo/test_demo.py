"""The demo's parts that need nothing but the standard library, on every Python that a board may have."""

# ruff: noqa: E402, SIM105

import http.client
import json
import os
import re
import select
import socket
import threading
import time
import unittest

import edgenet_agent

edgenet_agent.__path__.append(os.path.join(os.environ["EDGENET_TEST_DEMO"], "edgenet_agent"))

from edgenet_agent import wire
from edgenet_agent.demo import gate, metrics, server
from edgenet_agent.demo.figures import Figures, Recent, Spread
from edgenet_agent.demo.frame import Frame, FrameInFlight, InferenceQueue, Slot
from edgenet_agent.demo.sources.base import Pace
from edgenet_agent.tunnel import WINDOW, Tunnel


class SlotTest(unittest.TestCase):
    def test_the_newest_wins_and_the_old_one_is_given_back(self):
        slot = Slot()
        assert slot.put("a") is None
        assert slot.put("b") == "a"
        assert (slot.take(), slot.replaced) == ("b", 1)

    def test_closing_wakes_who_waits_and_keeps_the_last(self):
        slot = Slot()
        slot.put("last")
        slot.close()
        assert not slot.over
        assert slot.take() == "last"
        assert slot.take() is None

    def test_waiting_ends(self):
        assert Slot().take(0.01) is None

    def test_a_buffer_comes_back_when_the_last_holder_lets_go(self):
        pool = []
        frame = Frame("rgb", bytearray(3), (1, 1), pool).hold().hold()
        frame.drop()
        assert pool == []
        frame.drop()
        assert pool == [frame]


class TurnsTest(unittest.TestCase):
    def setUp(self):
        self.now = 100.0
        self.turns = InferenceQueue(lambda: self.now)

    def test_a_follower_is_prepared_late_and_only_one(self):
        assert self.turns.wait(0.5, 0.01)  # nothing is at work: at once
        self.turns.add("first")
        assert not self.turns.wait(0.5, 0.01)
        self.now += 0.5
        assert self.turns.wait(0.5, 0.01)
        self.turns.add("second")
        assert not self.turns.wait(0.0, 0.01)

    def test_each_begins_when_the_one_before_it_is_done(self):
        self.turns.add("first")
        self.now += 1
        self.turns.add("second")
        self.now += 1
        assert self.turns.first(0.01) == "first"
        assert self.turns.done() == 100.0
        self.now += 1
        assert self.turns.first(0.01) == "second"
        assert self.turns.done() == 102.0

    def test_closing_keeps_what_is_at_work(self):
        self.turns.add("last")
        self.turns.close()
        assert self.turns.wait(9.0, 5)
        assert not self.turns.over
        self.turns.done()
        assert self.turns.over
        assert self.turns.first(5) is None

    def test_who_waits_for_work_is_woken(self):
        timer = threading.Timer(0.05, self.turns.add, ("work",))
        timer.start()
        assert self.turns.first(5) == "work"
        timer.join()


class AgreeTest(unittest.TestCase):
    def test_two_models_agree_on_an_answer_and_never_on_none(self):
        frame, none = FrameInFlight(None, [True, True], 0.0, 0.0), [["not a number", 0.0, wire.NO_ANSWER]]
        for first, second, agreed in (
            ([["ann", 1.0, 0]], [["ann", 0.9, 0]], True),
            ([["ann", 1.0, 0]], [["bob", 0.9, 1]], False),
            (none, none, False),
            (none, [["ann", 0.9, 0]], False),
            ([["ann", 1.0, 0]], None, None),
        ):
            frame.tops = [first, second]
            frame.told = [top and (None if top[0][2] == wire.NO_ANSWER else top[0][2]) for top in frame.tops]
            assert frame.agree() is agreed


class FiguresTest(unittest.TestCase):
    def test_percentiles_are_within_a_percent_in_constant_memory(self):
        spread = Spread()
        for number in range(1, 10001):
            spread.add(number * 1e-5)
        for share in (0.01, 0.5, 0.99):
            assert abs(spread.percentile(share) / (share * 0.1) - 1.0) < 0.01
        found = spread.summary()
        assert found["count"] == 10000
        assert abs(found["mean"] - 50.005) < 1e-3
        assert found["max"] == 100.0

    def test_extremes_do_not_break_it(self):
        spread = Spread()
        for value in (0.0, 1e-9, 1e9):
            spread.add(value)
        assert spread.count == 3
        assert spread.percentile(1.0) > 50
        assert Spread().summary() == {"count": 0}

    def test_rates_are_of_the_last_second(self):
        now = [0.0]
        recent = Recent(1.0, lambda: now[0])
        for _ in range(60):
            now[0] += 1 / 30.0
            recent.add(2.0)
        assert abs(recent.rate - 30.0) < 1.5
        assert recent.mean == 2.0
        now[0] += 5
        assert recent.rate < 6.1
        now[0] += 1.1
        assert recent.rate == 0.0

    def test_metrics_are_in_prometheus_form(self):
        figures = Figures()
        figures.part("invoke", 0.01)
        figures.label('a "quoted"\nlabel\\')
        board = dict.fromkeys(("temperature_c", "power_w", "throttled_now"))
        state = dict(
            figures.now(), viewers=2, dropped=3, counts=figures.counts, board=dict(board, memory_mb=50)
        )
        text = metrics.text(state, figures)
        assert 'edgenet_labels_total{label="a \\"quoted\\"\\nlabel\\\\"} 1\n' in text
        assert 'edgenet_stage_seconds_count{stage="invoke"} 1\n' in text
        assert "edgenet_memory_bytes 50000000\n" in text
        assert "edgenet_temperature_celsius" not in text
        for line in text.splitlines():
            assert re.search(r"^(# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [-0-9.e+]+)$", line)


class PaceTest(unittest.TestCase):
    def test_it_keeps_the_rate_and_does_not_make_up(self):
        now, slept = [0.0], []

        def sleep(seconds):
            slept.append(round(seconds, 3))
            now[0] += seconds

        pace = Pace(10, lambda: now[0], sleep)
        pace.wait()
        pace.wait()
        now[0] += 1.0  # a stall of ten pictures
        pace.wait()
        pace.wait()
        assert slept == [0.1, 0.1]


class Demo:
    """A demo with one picture."""

    page = b'<script nonce="{nonce}"></script>'

    def __init__(self):
        self.over, self.pipeline, self.view = threading.Event(), self, self
        self.watching, self.numbers, self.acts = 0, 0, []
        self.picture_bytes, self.boxes = b"x" * 50000, [None, None]

    def watch(self, change):
        self.watching += change

    def picture(self, seen=None, seconds=None):
        time.sleep(0.005)
        self.numbers += 1
        return self.numbers, self.picture_bytes, "jpeg", self.boxes

    def state(self):
        return {"frame": self.numbers}

    def metrics(self):
        return "edgenet_viewers 0\n"

    def act(self, name, values):
        if name == "link":
            return {"link": True}
        self.acts.append((name, values["on"]))
        return {}


class ServerTest(unittest.TestCase):
    def setUp(self):
        self.demo = Demo()
        self.server = server.Server(self.demo)
        self.server.start()
        self.port, self.keys = self.server.port, self.server.keys
        self.bearer = {"Authorization": "Bearer " + self.keys.key}

    def tearDown(self):
        self.demo.over.set()
        self.server.stop()

    def ask(self, method, path, headers=None, body=None, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()
        finally:
            connection.close()

    def test_it_listens_on_one_address_of_loopback_only(self):
        with socket.socket() as other:
            other.settimeout(2)
            assert other.connect_ex(("127.0.0.2", self.port)) != 0

    def test_the_page_is_anybodys_and_holds_no_secret(self):
        status, headers, page = self.ask("GET", "/")
        assert status == 200
        nonce = page.split(b'"')[1].decode("ascii")
        assert f"script-src 'nonce-{nonce}'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert self.keys.key.encode("ascii") not in page
        assert headers["Connection"] == "close"

    def test_a_token_works_once_and_becomes_the_key(self):
        token = {"Authorization": "Bearer " + self.keys.token()}
        status, _, body = self.ask("POST", "/enter", token)
        assert (status, json.loads(body.decode("utf-8"))) == (200, {"key": self.keys.key})
        assert self.ask("POST", "/enter", token)[0] == 403
        assert self.ask("GET", "/enter", {"Authorization": "Bearer " + self.keys.token()})[0] == 403

    def test_nothing_that_a_browser_sends_by_itself_opens_anything(self):
        """Cookies go to every port of a host, so none is set and none is heard."""
        token = {"Authorization": "Bearer " + self.keys.token()}
        for method, path in (("GET", "/"), ("POST", "/enter"), ("GET", "/state"), ("GET", "/frame")):
            for headers in (token, self.bearer):
                assert "Set-Cookie" not in self.ask(method, path, headers)[1]
        for value in (self.keys.key, "key=" + self.keys.key, "edgenet=" + self.keys.key):
            assert self.ask("GET", "/frame", {"Cookie": value})[0] == 403
        for path in ("/frame?token=", "/frame?key=", "/frame?"):
            assert self.ask("GET", path + self.keys.key)[0] == 403

    def test_without_the_key_everything_is_refused(self):
        for path in ("/state", "/stream.mjpg", "/frame", "/metrics", "/nonsense", "//[", "/do"):
            status, _, body = self.ask("GET", path)
            assert status == 403, path
            assert b"edgenet_viewers" not in body
        token = self.keys.token()
        for value in ("Bearer ", "Bearer wrong", "Bearer", "Basic " + self.keys.key, "Bearer " + token):
            assert self.ask("GET", "/state", {"Authorization": value})[0] == 403
        for path in ("/do", "/enter"):
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                assert self.ask("POST", path, headers, b'{"do": "pause", "on": true}')[0] == 403
        assert self.demo.acts == []

    def test_other_hosts_are_refused(self):
        for host in (
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.",
            "10.0.0.1:80",
            "[::2]",
            "",
            "127.0.0.1:x",
        ):
            assert self.ask("GET", "/state", self.bearer, host=host or " ")[0] == 403, host
            assert self.ask("GET", "/", host=host or " ")[0] == 403, host
            token = {"Authorization": "Bearer " + self.keys.token()}
            assert self.ask("POST", "/enter", token, host=host or " ")[0] == 403, host
        for host in ("localhost:1", "127.0.0.1", "[::1]:8080"):
            assert self.ask("GET", "/state", self.bearer, host=host)[0] == 200, host

    def test_other_sites_may_neither_look_nor_press_buttons(self):
        """A page of another port is the same site to a browser, and another origin."""
        order = b'{"do": "pause", "on": true}'
        other, same = f"http://127.0.0.1:{self.port + 1}", f"http://127.0.0.1:{self.port}"
        for more in (
            {"Origin": "http://evil.example"},
            {"Origin": other},
            {"Origin": "null"},
            {"Origin": "http://["},
            {"Origin": same.replace("http", "https")},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
            {"Origin": same, "Sec-Fetch-Site": "same-site"},
        ):
            asked = dict(self.bearer, **more)
            assert self.ask("POST", "/do", asked, order)[0] == 403, more
            assert self.ask("GET", "/frame", asked)[0] == 403, more
            token = self.keys.token()
            assert self.ask("POST", "/enter", dict(more, Authorization="Bearer " + token))[0] == 403, more
        assert self.demo.acts == []
        assert self.ask("POST", "/do", dict(self.bearer, Origin=same), order)[0] == 200
        asked = dict(self.bearer, **{"Origin": same, "Sec-Fetch-Site": "same-origin"})
        assert self.ask("POST", "/do", asked, order)[0] == 200
        assert self.demo.acts == [("pause", True)] * 2

    def test_a_link_may_lead_to_the_page_but_no_page_may_hold_it(self):
        for site in ("cross-site", "same-site", "none"):
            led = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document"}
            assert self.ask("GET", "/", led)[0] == 200
        for place in ("iframe", "image", "script", "empty"):
            held = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": place}
            assert self.ask("GET", "/", held)[0] == 403

    def test_no_answer_lets_another_origin_read_it(self):
        for method in ("OPTIONS", "GET"):
            asked = {"Origin": "http://127.0.0.1:1", "Access-Control-Request-Headers": "authorization"}
            status, headers, _ = self.ask(method, "/frame", asked)
            assert status in (403, 501)
            assert not [name for name in headers if name.lower().startswith("access-control")]
        _, headers, _ = self.ask("GET", "/state", self.bearer)
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"

    def test_paths_outside_and_unknown_ones_are_refused(self):
        for path in ("/../etc/passwd", "/%2e%2e/etc/passwd", "//etc/passwd", "/page.html", "/state/", "/do"):
            assert self.ask("GET", path, self.bearer)[0] == 404, path

    def test_over_long_requests_are_refused(self):
        assert self.ask("GET", "/" + "a" * 4000, self.bearer)[0] == 414
        assert self.ask("GET", "/state", dict(self.bearer, X="a" * 20000))[0] == 431
        assert self.ask("POST", "/do", self.bearer, b" " * 5000)[0] == 413
        for size in ("-1", "\xb2", "9" * 6000, "0x10", ""):
            assert self.ask("POST", "/do", dict(self.bearer, **{"Content-Length": size}))[0] == 413, size

    def test_what_is_not_an_order_is_refused(self):
        for body in (b"", b"[]", b"{}", b"nonsense", b'{"do": "pause"}', b"\xff", b'"do"', b"1", b"[" * 4000):
            assert self.ask("POST", "/do", self.bearer, body)[0] == 400, body

    def test_a_link_is_one_more_token(self):
        status, _, body = self.ask("POST", "/do", self.bearer, b'{"do": "link"}')
        assert status == 200
        token = json.loads(body.decode("utf-8"))["path"].split("#")[1]
        assert self.ask("POST", "/enter", {"Authorization": "Bearer " + token})[0] == 200

    def test_the_stream_is_multipart_with_the_size_of_each_part(self):
        with socket.create_connection(("127.0.0.1", self.port), 5) as viewer:
            viewer.sendall(self.request("/stream.mjpg"))
            seen = read(viewer, 120000)
        parts = seen.partition(b"\r\n\r\n")[2].split(b"--edgenet-frame\r\n")
        head, _, data = parts[1].partition(b"\r\n\r\n")
        assert head == b"Content-Type: image/jpeg\r\nContent-Length: 50000\r\nX-Frame: 1"
        assert data == self.demo.picture_bytes + b"\r\n"

    def test_the_boxes_of_a_picture_come_with_it(self):
        self.demo.boxes = [[["sign \n\u00e9", 0.9, 0.1, 0.2, 0.3, 0.4, []]], None]
        with socket.create_connection(("127.0.0.1", self.port), 5) as viewer:
            viewer.sendall(self.request("/stream.mjpg"))
            seen = read(viewer, 120000)
        parts = seen.partition(b"\r\n\r\n")[2].split(b"--edgenet-frame\r\n")
        head = parts[1].partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
        assert head[2] == "X-Frame: 1"
        assert json.loads(head[3].partition("X-Boxes: ")[2]) == self.demo.boxes

    def request(self, path, key=None):
        key = key or self.keys.key
        text = "GET {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n"
        return text.format(path, key).encode("ascii")

    def test_a_viewer_who_does_not_read_is_let_go_and_holds_nobody_up(self):
        viewers = []
        for _ in range(3):
            viewer = socket.create_connection(("127.0.0.1", self.port), 5)
            viewer.sendall(self.request("/stream.mjpg"))
            viewers.append(viewer)
        read, deadline = 0, time.monotonic() + 5
        while read < 2000000 and time.monotonic() < deadline:
            read += len(viewers[0].recv(65536))
        assert read >= 2000000, "the others read nothing, this one goes on"
        assert self.ask("GET", "/state", self.bearer)[0] == 200
        self.demo.over.set()
        for viewer in viewers:
            viewer.close()
        while self.demo.watching and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.demo.watching == 0

    def test_silent_connections_leave_the_page_usable(self):
        """200 of them, and more while the page is being used: what it asks is answered each time."""
        before = threading.active_count()
        held = self.flood(200)
        for _ in range(5):
            assert self.ask("GET", "/")[0] == 200
            token = {"Authorization": "Bearer " + self.keys.token()}
            assert self.ask("POST", "/enter", token)[0] == 200
            assert self.ask("GET", "/state", self.bearer)[0] == 200
            held += self.flood(10)
        assert threading.active_count() <= before + gate.MAX_WAITING
        for connection in held[: -gate.MAX_WAITING]:
            connection.settimeout(5)
            assert ended(connection), "who waited longest made room"

    def test_a_viewer_stays_while_others_flood_the_gate(self):
        viewer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        self.addCleanup(viewer.close)
        for _ in range(5):
            viewer.request("GET", "/state", headers=self.bearer)
            reply = viewer.getresponse()
            assert (reply.status, bool(reply.read())) == (200, True)
            here = viewer.sock
            self.flood(gate.MAX_WAITING * 2)
            assert viewer.sock is here, "it is still the same connection"

    def test_a_byte_now_and_then_is_not_waited_for(self):
        """What counts is the time from the connection on, not from the last byte."""
        self.addCleanup(setattr, gate, "WAIT_S", gate.WAIT_S)
        gate.WAIT_S = 1.0
        slow = socket.create_connection(("127.0.0.1", self.port), 5)
        self.addCleanup(slow.close)
        began = time.monotonic()
        for byte in self.request("/state") * 9:
            quietly(slow.sendall, bytes(bytearray([byte])))
            if select.select([slow], [], [], 0.05)[0]:
                break
        assert ended(slow)
        seconds = time.monotonic() - began
        assert 0.9 < seconds < 20.0, seconds  # all of its bytes would take 40

    def test_an_answer_that_nobody_takes_is_given_up(self):
        """Without the key there is one time for the question and the answer."""
        self.demo.page = b"x" * 50000000
        self.addCleanup(setattr, gate, "WAIT_S", gate.WAIT_S)
        gate.WAIT_S = 0.5
        before = threading.active_count()
        greedy = [socket.create_connection(("127.0.0.1", self.port), 5) for _ in range(5)]
        for connection in greedy:
            self.addCleanup(connection.close)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        deadline = time.monotonic() + 5
        while threading.active_count() < before + 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() == before

    def test_a_head_without_end_is_given_up(self):
        with socket.create_connection(("127.0.0.1", self.port), 5) as endless:
            try:
                for _ in range(200):
                    endless.sendall(b"GET /" + b"a" * 1000)
                    time.sleep(0.001)
            except OSError:
                return
            assert ended(endless)

    def test_there_is_room_for_so_many_viewers_and_for_the_next_when_one_leaves(self):
        self.addCleanup(setattr, server, "MAX_VIEWERS", server.MAX_VIEWERS)
        server.MAX_VIEWERS = 3
        viewers = []
        for _ in range(3):
            viewers.append(socket.create_connection(("127.0.0.1", self.port), 5))
            self.addCleanup(viewers[-1].close)
            viewers[-1].sendall(self.request("/stream.mjpg"))
            assert read(viewers[-1], 12) == b"HTTP/1.1 200"
        assert self.ask("GET", "/state", self.bearer)[0] == 503
        viewers[0].close()
        deadline = time.monotonic() + 5
        while self.ask("GET", "/state", self.bearer)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def flood(self, count):
        """So many silent connections."""
        held = []
        for _ in range(count):
            held.append(socket.create_connection(("127.0.0.1", self.port), 5))
            self.addCleanup(held[-1].close)
        return held


class BearerTest(unittest.TestCase):
    def test_it_is_found_in_a_head(self):
        for head, key in (
            (b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer abc-_D\r\n\r\n", b"abc-_D"),
            (b"GET / HTTP/1.1\r\nAUTHORIZATION:bearer\t abc \r\nHost: a\r\n\r\n", b"abc"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic abc\r\n\r\n", b""),
            (b"GET / HTTP/1.1\r\nX-Authorization: Bearer abc\r\n\r\n", b""),
            (b"GET /Authorization: Bearer abc HTTP/1.1\r\nHost: a\r\n\r\n", b""),
            (b"", b""),
        ):
            assert gate.bearer(head) == key, head


class TunnelTest(unittest.TestCase):
    """Two ends in one process; what one sends the other receives."""

    def setUp(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.sent = []
        self.here = Tunnel(lambda header, body: self.carry(self.there, header, body))
        self.there = Tunnel(
            lambda header, body: self.carry(self.here, header, body),
            lambda: socket.create_connection(self.listener.getsockname(), 2),
        )

    def tearDown(self):
        self.here.close()
        self.there.close()
        self.listener.close()

    def carry(self, end, header, body):
        self.sent.append(len(body))
        frame, data = json.loads(json.dumps(header)), bytes(body)
        assert frame["type"] == wire.STREAM
        end.receive(frame, data)

    def pair(self):
        """(the browser's end, the server's end) of one stream."""
        browser, mine = tcp_pair()
        self.here.open(mine)
        served, _ = self.listener.accept()
        for end in (browser, served):
            end.settimeout(5)
            self.addCleanup(end.close)
        return browser, served

    def test_what_was_read_already_comes_first(self):
        browser, mine = tcp_pair()
        browser.sendall(b" after")
        self.here.open(mine, b"before")
        served, _ = self.listener.accept()
        served.settimeout(5)
        for end in (browser, served):
            self.addCleanup(end.close)
        assert read(served, 12) == b"before after"
        browser.sendall(b"z" * 3 * WINDOW)
        assert read(served, 3 * WINDOW) == b"z" * 3 * WINDOW, "its credit came back too"

    def test_bytes_arrive_both_ways_in_order(self):
        browser, served = self.pair()
        data = bytes(bytearray(range(256))) * 4000
        writer = threading.Thread(target=served.sendall, args=(data,))
        writer.start()
        assert read(browser, len(data)) == data
        writer.join()
        browser.sendall(b"question")
        assert read(served, 8) == b"question"

    def test_one_who_does_not_read_holds_up_only_his_own(self):
        _, stalled_served = self.pair()
        browser, served = self.pair()
        flood = threading.Thread(target=quietly, args=(stalled_served.sendall, b"x" * 30000000))
        flood.daemon = True
        flood.start()
        for _ in range(50):
            served.sendall(b"y" * 1000)
            assert read(browser, 1000) == b"y" * 1000
        deadline = time.monotonic() + 10
        before = -1
        while sum(self.sent) != before and time.monotonic() < deadline:
            before = sum(self.sent)
            time.sleep(0.1)
        assert sum(self.sent) == before, "the stalled stream stands still"
        assert flood.is_alive()

    def test_the_end_comes_after_the_last_byte(self):
        browser, served = self.pair()
        served.sendall(b"z" * WINDOW * 2)
        served.close()
        assert len(read(browser, WINDOW * 2)) == WINDOW * 2
        assert browser.recv(1) == b""

    def test_a_browser_that_goes_ends_the_servers_side(self):
        browser, served = self.pair()
        browser.close()
        assert served.recv(1) == b""

    def test_where_nobody_listens_the_stream_ends(self):
        self.listener.close()
        browser, mine = tcp_pair()
        self.here.open(mine)
        browser.settimeout(5)
        assert browser.recv(1) == b""
        browser.close()

    def test_nonsense_is_left_alone(self):
        for header in (
            {},
            {"stream": "1", "open": True},
            {"stream": 99},
            {"stream": 99, "credit": 5},
            {"stream": None},
        ):
            self.there.receive(dict(header, type=wire.STREAM), b"data")

    def test_streams_are_forgotten(self):
        before = threading.active_count()
        for _ in range(20):
            browser, served = self.pair()
            browser.close()
            assert served.recv(1) == b""
            served.close()
        deadline = time.monotonic() + 5
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() <= before


def tcp_pair():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        one = socket.create_connection(listener.getsockname(), 2)
        return one, listener.accept()[0]


def read(end, count):
    data = b""
    while len(data) < count:
        piece = end.recv(min(65536, count - len(data)))
        if not piece:
            break
        data += piece
    return data


def ended(connection):
    """Whether the other end has closed it; raises where nothing comes in time."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def quietly(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        pass


if __name__ == "__main__":
    unittest.main()
