"""The page on the board's loopback: HTTP for the one who has the token, refused to all others.

The token in the address works once and is exchanged for a cookie of this run; scrapers use the key as a
bearer. Only loopback names are accepted as Host, so a foreign site's name that is made to point here is not.
"""

import hmac
import json
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOSTS = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?\Z")
MAX_LINE, MAX_HEADERS, MAX_BODY, MAX_CONNECTIONS = 2048, 16384, 4096, 48
# A viewer that reads nothing for so long is let go, seconds.
STALLED_S = 15.0
_BOUNDARY = "edgenet-frame"
# Sent behind each picture, not before the next: Chromium shows a part when the head of the next has come.
_HEAD = "\r\n--" + _BOUNDARY + "\r\nContent-Type: image/{}\r\n\r\n"
_POLICY = (
    "default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'nonce-{0}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Keys(object):
    """Who may see the page: one-time tokens, and the key of this run."""

    def __init__(self):
        self.key = token_urlsafe(24)
        self.cookie = "edgenet-" + token_urlsafe(6)
        self._tokens: Any = set()
        self._lock = threading.Lock()

    def token(self):
        """A new one-time token."""
        token = token_urlsafe(24)
        with self._lock:
            self._tokens.add(token)
        return token

    def spend(self, token):
        """Whether a token was good; it is not any more."""
        with self._lock:
            good = token in self._tokens
            self._tokens.discard(token)
        return good

    def knows(self, headers):
        """Whether a request carries this run's key, as a cookie or a bearer."""
        for item in headers.get("Cookie", "").split(";"):
            name, _, value = item.strip().partition("=")
            if name == self.cookie and self._same(value):
                return True
        scheme, _, value = headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._same(value.strip())

    def _same(self, value):
        return hmac.compare_digest(value.encode("utf-8", "replace"), self.key.encode("utf-8"))


class Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "edgenet", ""
    timeout = STALLED_S
    wbufsize = 1 << 16  # headers and body leave together
    disable_nagle_algorithm = True
    demo: Any = None
    keys: Any = None

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
        address = urlsplit(self.path)
        if not self._host_allowed():
            return
        token = parse_qs(address.query).get("token")
        if address.path == "/" and token:
            self._enter(token[0])
            return
        if not self.keys.knows(self.headers):
            self._refuse(403, "open the address that edgenet printed; its token works once")
            return
        route = {
            "/": self._page,
            "/stream.mjpg": self._stream,
            "/frame": self._picture,
            "/state": self._state,
            "/metrics": self._metrics,
        }.get(address.path)
        if route is None:
            self._refuse(404, "there is no such page")
            return
        route()

    def do_POST(self):
        """What the page's buttons do: ``{"do": …}``."""
        size = self.headers.get("Content-Length", "")
        if not self._host_allowed():
            return
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.headers.get("Host"):
            self._refuse(403, "another site asked")
        elif not self.keys.knows(self.headers):
            self._refuse(403, "open the address that edgenet printed; its token works once")
        elif urlsplit(self.path).path != "/do":
            self._refuse(404, "there is no such page")
        elif not size.isdigit() or int(size) > MAX_BODY:
            self._refuse(413, "the request is too long")
        else:
            self._act(self.rfile.read(int(size)))

    def _act(self, body):
        try:
            wanted = json.loads(body.decode("utf-8"))
            answer = self.demo.act(wanted.pop("do"), wanted)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            self._refuse(400, "not understood: {}".format(error)[:200])
            return
        if answer.pop("link", None):
            answer["path"] = "/?token=" + self.keys.token()
        self._json(answer)

    def _host_allowed(self):
        if HOSTS.match(self.headers.get("Host", "")):
            return True
        self._refuse(403, "this server answers to loopback names only")
        return False

    def _enter(self, token):
        if not self.keys.spend(token) and not self.keys.knows(self.headers):
            self._refuse(403, "this address was used already; its page has a button for a new one")
            return
        cookie = "{}={}; Path=/; HttpOnly; SameSite=Strict".format(self.keys.cookie, self.keys.key)
        self._send(303, "text/plain", b"", {"Location": "/", "Set-Cookie": cookie})

    def _refuse(self, code, why):
        self.close_connection = True
        self._send(code, "text/plain; charset=utf-8", (why + "\n").encode("utf-8"), {"Connection": "close"})

    def _send(self, code, kind, body, more=None):
        self.send_response(code)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        headers.update(more or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value):
        self._send(200, "application/json", json.dumps(value, allow_nan=False).encode("utf-8"))

    def _page(self):
        nonce = token_urlsafe(12)
        page = self.demo.page.replace(b"{nonce}", nonce.encode("ascii"))
        self._send(200, "text/html; charset=utf-8", page, {"Content-Security-Policy": _POLICY.format(nonce)})

    def _state(self):
        self._json(self.demo.state())

    def _metrics(self):
        self._send(200, "text/plain; version=0.0.4; charset=utf-8", self.demo.metrics().encode("utf-8"))

    def _picture(self):
        picture = self.demo.picture()
        if picture is None:
            self._refuse(404, "there is no picture yet")
        else:
            self._send(200, "image/" + picture[2], picture[1], {"X-Frame": str(picture[0])})

    def _stream(self):
        """Pictures without end; one that is not taken in time is skipped, for this viewer alone."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=" + _BOUNDARY)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        pipeline, seen, first = self.demo.pipeline, None, True
        pipeline.watch(1)
        try:
            while not self.demo.over.is_set():
                picture = pipeline.picture(seen, 0.5)
                if picture is not None:
                    seen, data, kind = picture
                    head = _HEAD.format(kind).encode("ascii")
                    self.wfile.write((head if first else b"") + data + head)
                    first = False
                    self.wfile.flush()
        except OSError:
            pass  # the viewer went, or read nothing for STALLED_S
        finally:
            pipeline.watch(-1)


class Server(socketserver.ThreadingMixIn, HTTPServer):
    """Answers on 127.0.0.1, a thread a connection, so many and no more.

    Args:
        demo: ``page`` (bytes), ``state()``, ``metrics()``, ``picture()``, ``act(name, values)``,
            ``pipeline``, ``over`` (an event).
        port: On loopback; 0 for any free one.

    Raises:
        OSError: The port is taken.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, demo, port=0):
        self.keys = Keys()
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        handler = type("DemoHandler", (Handler,), {"demo": demo, "keys": self.keys})
        HTTPServer.__init__(self, ("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="server")
        self._thread.daemon = True

    def server_bind(self):
        """Bind, without asking the network for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def start(self):
        """Begin to answer."""
        self._thread.start()

    def process_request(self, request, client_address):
        """A thread for the connection, or none where too many are there."""
        if not self._room.acquire(False):
            self.shutdown_request(request)
            return
        socketserver.ThreadingMixIn.process_request(self, request, client_address)

    def process_request_thread(self, request, client_address):
        """As always, and give the room back."""
        try:
            socketserver.ThreadingMixIn.process_request_thread(self, request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request, client_address):
        """A broken connection is the browser's own business."""

    def stop(self):
        """Answer no more."""
        self.shutdown()
        self.server_close()
