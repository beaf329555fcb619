"""One connection to the demo's page: HTTP for the one who has the key, refused to all others.

The page itself holds no secret and is shown to anybody. The token in its address stands behind the #, which
browsers send nowhere; the page exchanges it once for the key of this run, and gives the key along by itself,
as a bearer. It is no cookie: a browser sends cookies to every port of a host. Only loopback names are
accepted as Host, so a foreign site's name that is made to point here is not.
"""

import io
import json
import re
from http.server import BaseHTTPRequestHandler
from secrets import token_urlsafe
from typing import Any

from ..failure import Failure
from .body import MAX_BYTES, Body, Refused, Replay

HOSTS = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?\Z")
MAX_LINE, MAX_HEADERS, MAX_BODY = 2048, 16384, 4096
# A viewer that reads nothing for so long is let go, seconds.
STALLED_S = 15.0
_BOUNDARY = "edgenet-frame"
_HEAD = "--" + _BOUNDARY + "\r\nContent-Type: image/{}\r\nContent-Length: {}\r\nX-Frame: {}{}\r\n\r\n"
# What a browser says where the page itself asks, or an address was typed; other programs say nothing.
_OWN_SITE = (None, "same-origin", "none")
_LOCKED = "open the address that edgenet printed; it works once"
_POLICY = (
    "default-src 'none'; img-src data: blob:; connect-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'nonce-{0}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Handler(BaseHTTPRequestHandler):
    """One connection of a browser.

    Args:
        connection: As the gate gave it.
        head: What was read from it.
        server: Where it is let in.
    """

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "edgenet", ""
    timeout = STALLED_S
    wbufsize = 1 << 16  # headers and body leave together
    disable_nagle_algorithm = True
    demo: Any = None
    keys: Any = None
    server: Any

    def __init__(self, connection, head, server):
        self._head = head
        BaseHTTPRequestHandler.__init__(self, connection, ("127.0.0.1", 0), server)

    def setup(self):
        """As always, with what the gate has read."""
        BaseHTTPRequestHandler.setup(self)
        self.rfile.close()
        self.rfile = io.BufferedReader(Replay(self._head, self.connection))

    def log_message(self, format, *arguments):
        """Say nothing: stderr is for what goes wrong."""

    def parse_request(self):
        """As always, with smaller limits."""
        line: Any = getattr(self, "raw_requestline", b"")
        if len(line) > MAX_LINE:
            self.requestline = self.request_version = self.command = ""
            self.close_connection = True
            self.send_error(414)
            return False
        if not BaseHTTPRequestHandler.parse_request(self):
            return False
        if sum(len(name) + len(value) for name, value in self.headers.items()) > MAX_HEADERS:
            self.send_error(431)
            return False
        return True

    def do_GET(self):
        """The page and all that it shows."""
        path = self.path.partition("?")[0]
        if not self._allowed(path):
            return
        if path == "/":
            self._page()
            return
        route = {
            "/stream.mjpg": self._stream,
            "/frame": self._picture,
            "/state": self._state,
            "/metrics": self._metrics,
            "/sources": self._sources,
            "/clip.avi": self._clip,
        }.get(path, self._thumbnail if path.startswith("/gallery/") else None)
        if not self._let_in():
            return
        if route is None:
            self._refuse(404, "there is no such page")
            return
        route()

    def do_POST(self):
        """The way in, and what the page's buttons do: ``{"do": …}``."""
        path = self.path.partition("?")[0]
        if not self._allowed(path):
            return
        if path == "/enter":
            self._enter()
        elif not self._let_in():
            return
        elif path not in ("/do", "/look"):
            self._refuse(404, "there is no such page")
        elif not _within(self.headers.get("Content-Length", ""), MAX_BODY if path == "/do" else MAX_BYTES):
            self._refuse(413, "the request is too long")
        elif path == "/do":
            self._act(self.rfile.read(int(self.headers["Content-Length"])))
        else:
            self._look_at(int(self.headers["Content-Length"]))

    def _look_at(self, size):
        """A viewer's own picture."""
        body = Body(self.rfile, size)
        try:
            answer = self.demo.look_at(body)
        except Refused as refused:
            body.forget()
            self._refuse(refused.status, str(refused))
        else:
            self._json(answer)

    def _act(self, body):
        try:
            wanted = json.loads(body.decode("utf-8"))
            answer = self.demo.act(wanted.pop("do"), wanted)
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            self._refuse(400, "not understood: {}".format(error)[:200])
            return
        except Failure as failure:
            told = failure.as_json()
            self._refuse(409, ": ".join(filter(None, (told["what"], told["remedy"]))))
            return
        if answer.pop("link", None):
            answer["path"] = "/#" + self.keys.token()
        self._json(answer)

    def _allowed(self, path):
        """Whether the page itself asks, or no browser; anybody's link may lead to the page."""
        host, own = self.headers.get("Host", ""), self.headers.get("Sec-Fetch-Site") in _OWN_SITE
        led = path == "/" and self.headers.get("Sec-Fetch-Dest") == "document"
        if not HOSTS.match(host):
            self._refuse(403, "this server answers to loopback names only")
        elif self.headers.get("Origin", "http://" + host) != "http://" + host or not (own or led):
            self._refuse(403, "another site asked")
        else:
            return True
        return False

    def _bearer(self):
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""

    def _let_in(self):
        """Whether a request carries this run's key and there is room for its connection."""
        if not self.keys.knows(self._bearer()):
            self._refuse(403, _LOCKED)
        elif not self.server.let_in(self.connection):
            self._refuse(503, "too many are looking")
        else:
            return True
        return False

    def _enter(self):
        """A token for the key."""
        if self.keys.spend(self._bearer()):
            self._json({"key": self.keys.key}, {"Connection": "close"})
        else:
            self._refuse(403, "this address was used already; its page has a button for a new one")

    def _refuse(self, code, why):
        self.close_connection = True
        self._send(code, "text/plain; charset=utf-8", (why + "\n").encode("utf-8"), {"Connection": "close"})

    def _send(self, code, kind, body, more=None, pieces=()):
        self.send_response(code)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body) + sum(map(len, pieces))),
            "Cache-Control": "no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        headers.update(more or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in (body,) + tuple(pieces):
            self.wfile.write(piece)

    def _json(self, value, more=None):
        self._send(200, "application/json", json.dumps(value, allow_nan=False).encode("utf-8"), more)

    def _page(self):
        nonce = token_urlsafe(12)
        page = self.demo.page.replace(b"{nonce}", nonce.encode("ascii"))
        more = {
            "Content-Security-Policy": _POLICY.format(nonce),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Connection": "close",
        }
        self._send(200, "text/html; charset=utf-8", page, more)

    def _state(self):
        self._json(self.demo.state())

    def _metrics(self):
        self._send(
            200, "text/plain; version=0.0.4; charset=utf-8", self.demo.metrics().encode("utf-8", "replace")
        )

    def _picture(self):
        picture = self.demo.picture()
        if picture is None:
            self._refuse(404, "there is no picture yet")
        else:
            self._send(200, "image/" + picture[2], picture[1], {"X-Frame": str(picture[0])})

    def _sources(self):
        self._json(self.demo.sources())

    def _clip(self):
        if not self.server.clips.acquire(False):
            self._refuse(429, "other clips are being downloaded; try again in a moment")
            return
        try:
            self._send_clip(self.demo.clip())
        finally:
            self.server.clips.release()

    def _send_clip(self, clip):
        if clip is None:
            self._refuse(404, "there are no pictures for a clip yet")
            return
        seconds, pieces = clip
        self._send(200, "video/x-msvideo", b"", {"X-Seconds": "{:.1f}".format(seconds)}, pieces)

    def _thumbnail(self):
        index = self.path[len("/gallery/") :]
        picture = self.demo.thumbnail(int(index)) if _within(index, 9999) else None
        if picture is None:
            self._refuse(404, "there is no such picture")
        else:
            self._send(200, "image/" + picture[1], picture[0])

    def _stream(self):
        """Pictures without end; one that is not taken in time is skipped, for this viewer alone."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=" + _BOUNDARY)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        view, seen = self.demo.pipeline.view, None
        view.watch(1)
        try:
            while not self.demo.over.is_set():
                picture = view.picture(seen, 0.5)
                if picture is not None:
                    seen, data, kind, boxes = picture
                    head = _HEAD.format(kind, len(data), seen, _boxes(boxes))
                    self.wfile.write(head.encode("ascii") + data + b"\r\n")
                    self.wfile.flush()
        except OSError:
            pass  # the viewer went, or read nothing for STALLED_S
        finally:
            view.watch(-1)


def _within(text, most):
    """Whether a text is a number from 0 to ``most``."""
    return text.isdecimal() and len(text) <= 8 and int(text) <= most


def _boxes(boxes):
    """The line of a picture's own boxes; none where no model gives any."""
    if not any(boxes):
        return ""
    return "\r\nX-Boxes: " + json.dumps(boxes, separators=(",", ":"), allow_nan=False)
