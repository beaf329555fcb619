"""What happened to this board: one JSON line each, only appended, bounded, and whole after any cut.

A line's place is its number ``n``, never a clock: boards often have none. A line that a cut left torn is
skipped, and the next one begins anew. Past its bound the file becomes the older half and a new one begins,
with what is still needed of the old: how each deployment came, and the last report.
"""

import contextlib
import json
import os
import time
from typing import Any

from ..failure import FULL, Failure, shown
from ..wire import PART
from .home import DIGEST, one_writer, read_json, sync_folder

FILE, OLDER = "history.jsonl", "history.1.jsonl"
BOUND = 64 << 10  # of each of the two files, bytes
LONGEST = 4096  # of one line, bytes
SHORT = 300  # of one text in it, characters
TEXTS = ("who", "host", "what", "digest", "name", "result")
# What makes a deployment the current one; ``found`` stands for a line that a cut has lost.
ARRIVALS = ("deploy", "rollback", "rollout", "switch", "found")
WAITS = "place"
REPORT = "profile"
DONE = "ok"


def add(store, request, what, manifest, result=DONE, told=None):
    """Append a line; a card without room gives up the older half for it, or the line.

    Args:
        request: Of the host: ``who``, ``host`` and ``at``, its Unix time.
        what: What was done, one word.
        manifest: Of the deployment it was done to: ``digest`` and ``name``.
        result: ``ok``, or why not.
        told: More to be remembered, a small object.

    Raises:
        Failure: ``bad-request``: it is no short text, or too much.
    """
    line = {"at_board": _number(round(time.time(), 1)), "at_host": _number(request.get("at"))}
    texts = dict(manifest, who=request.get("who"), host=request.get("host"), what=what, result=result)
    for name in TEXTS:
        value = texts.get(name)
        line[name] = shown(str(value))[:SHORT] or "-" if value is not None else None
    if told is not None:
        line["told"] = told
    if len(_packed(line)) > LONGEST or not _is_small(told or {}):
        what = "a line of the history has {} bytes at most, and holds nothing deep or endless".format(LONGEST)
        raise Failure("bad-request", what)
    with contextlib.suppress(OSError), one_writer(store.path("history.lock")):
        known = lines(store)
        line["n"] = known[-1]["n"] + 1 if known else 1
        _append(store, line, known)


class Told(object):
    """Within it something is done to a deployment; then a line says so, with the reason where it failed.

    Args:
        store: The board's.
        request: Of the host.
        what: The word for it.
        failures: Whether they are told; not where the host then goes another way.

    Attributes:
        manifest: Of the deployment, once it is known.
        changed: Whether there was anything to do; a line says only what changed.
    """

    def __init__(self, store, request, what, failures):
        self._arguments, self._failures = (store, request, what), failures
        self.manifest, self.changed = {"digest": None, "name": None}, False

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _trace):
        about = self._arguments + (self.manifest,)
        if isinstance(error, Failure) and error.kind != PART and self._failures:
            add(*(about + (error.what,)))
        elif error is None and self.changed:
            add(*about)


def lines(store):
    """All lines, oldest first: those of both files, before them what an older agent kept."""
    found = {}
    for line in _older_agents(store) + _read(store.path(OLDER)) + _read(store.path(FILE)):
        found[line["n"]] = line
    return [found[number] for number in sorted(found)]


def arrivals(known, kinds=ARRIVALS):
    """``{digest: line}`` of how each deployment last became the current one, the oldest first."""
    found: Any = {}
    for line in known:
        if line["what"] in kinds and line["result"] == DONE and line["digest"]:
            found.pop(line["digest"], None)
            found[line["digest"]] = line
    return found


def newest(known):
    """The digests of all deployments that came, the newest first; also of those that only wait there."""
    return list(arrivals(known, ARRIVALS + (WAITS,)))[::-1]


def last_report(known):
    """What the last measurement told, as far as it is what a report tells, or ``None``."""
    for line in reversed(known):
        if line["what"] == REPORT and line.get("told"):
            told = line["told"]
            found = {name: _number(told.get(name)) for name in ("at", "fps", "p99_ms")}
            texts = {name: _text(told.get(name)) for name in ("digest", "verdict")}
            return dict(found, **texts) if texts["digest"] is None or _is_digest(texts["digest"]) else None
    return None


def _append(store, line, known):
    path, data = store.path(FILE), _packed(line)
    if _size(path) + len(data) > BOUND:
        os.replace(path, store.path(OLDER))
        data = _needed(store, known) + data
    try:
        _write(path, data)
    except OSError as error:
        if error.errno not in FULL or not os.path.exists(store.path(OLDER)):
            raise
        os.unlink(store.path(OLDER))
        _write(path, _needed(store, known) + data)


def _needed(store, known):
    """What the older half may not take with it: how each deployment came, and the last report."""
    here = os.listdir(store.path("deployments"))
    kept = [line for digest, line in arrivals(known).items() if digest in here]
    kept += [line for line in known if line["what"] == REPORT and line.get("told")][-1:]
    return b"".join(_packed(line) for line in sorted(kept, key=lambda line: line["n"]))


def _write(path, data):
    """Append in one piece and see it on the card; after a torn line on a line of its own."""
    with open(path, "ab+", 0) as stream:
        end = stream.seek(0, os.SEEK_END)
        if end:
            stream.seek(end - 1)
            data = (b"" if stream.read(1) == b"\n" else b"\n") + data
        if os.write(stream.fileno(), data) != len(data):
            raise OSError(FULL[0], "no space")
        os.fsync(stream.fileno())
    if not end:
        sync_folder(os.path.dirname(path))


def _packed(line):
    return json.dumps(line, sort_keys=True).encode("ascii") + b"\n"


def _read(path):
    """The whole lines of a file that say what is expected of them."""
    try:
        with open(path, "rb") as stream:
            texts = stream.read(4 * BOUND).split(b"\n")
    except OSError:
        return []
    return [line for line in map(_parsed, texts) if line]


def _parsed(text):
    try:
        line = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and _is_line(line) else None


def _is_line(line):
    """Whether a file's line is one of these: another program, or damage, may have written it."""
    texts = all(name in line and (line[name] is None or _text(line[name])) for name in TEXTS)
    texts = texts and line["what"] is not None and line["result"] is not None
    digest = line.get("digest") is None or _is_digest(line["digest"])
    number = isinstance(line.get("n"), int) and -64 <= line["n"] < 1 << 53
    told = line.get("told") is None or (isinstance(line["told"], dict) and _is_small(line["told"]))
    times = all(line.get(name) is None or _number(line[name]) is not None for name in ("at_board", "at_host"))
    return bool(number and texts and digest and told and times)


def _is_small(value, depth=4):
    """Whether a JSON value is finite, and no deeper than that."""
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(_is_small(item, depth - 1) for item in inner)
    return not isinstance(value, (int, float)) or -1e15 < value < 1e15


def _is_digest(value):
    return isinstance(value, str) and DIGEST.match(value) is not None


def _text(value):
    """A short text, or ``None``."""
    return value if isinstance(value, str) and 0 < len(value) <= SHORT else None


def _older_agents(store):
    """What agents up to 0.2 kept, the newest first, some only digests; as lines before all others."""
    entries = read_json(store.path("deployments", "history.json"))
    entries = entries[:64] if isinstance(entries, list) else []
    found = []
    for number, kept in enumerate(entries):
        entry = kept if isinstance(kept, dict) else {"digest": kept}
        source = entry.get("from")
        who, _, host = source.partition("@") if isinstance(source, str) else ("", "", "")
        line = {"n": -number, "what": "deploy", "result": DONE, "at_board": None, "told": None}
        line.update(digest=entry.get("digest"), at_host=_number(entry.get("at")))
        line.update(who=_text(who), host=_text(host), name=_text(entry.get("name")))
        found.append(line)
    return [line for line in found if line["digest"] and _is_line(line)]


def _number(value):
    """A time, Unix seconds, or ``None``."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if known and 0 <= value < 1e12 else None


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0
