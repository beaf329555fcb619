"""Folders with letters beyond ASCII, on a board whose Python takes file names to be ASCII.

Python 3.6 does so under LC_ALL=C; a newer one with ``-X utf8=0``, and then it has the runtimes beside it.
"""

import os
import subprocess
import sys
import zipfile

import pytest
from edgenet_agent import wire
from edgenet_agent.failure import Failure

from edgenet.steps.compile import compile as compile_
from tests.agent.test_agent_pythons import interpreter

NAMES = ["Müller", b"M\xfcller", "模型 ü"]
C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}


def where(folder, name):
    """A new folder of that name, as text of this process."""
    path = os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name)))
    os.makedirs(path, 0o700)
    return path


@pytest.fixture(params=NAMES, ids=ascii)
def home(request, tmp_path):
    return where(tmp_path, request.param)


@pytest.fixture(scope="module", params=["onnxruntime", "tflite"])
def bundle(request, model):
    return compile_(model, "local", request.param, "fp32").bundle


@pytest.fixture
def ask(home, bundle, archive_path):
    """Asks the worker."""
    blobs = os.path.join(home, "blobs")
    os.mkdir(blobs)
    needed = [open_part(part) for part in (f"runtimes/{bundle.manifest.backend}", "tasks/classification")]
    for data in (*needed, bundle.artifact):
        with open(os.path.join(blobs, sha256(data)), "wb") as stream:
            stream.write(data)
    process = subprocess.Popen(
        [sys.executable, "-X", "utf8=0", str(archive_path), "worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **C_LOCALE, "EDGENET_HOME": home, "TMPDIR": where(home, "tmp")},
    )

    def ask(kind, body=b"", **request):
        wire.write_frame(process.stdin, {"type": kind, **request}, body)
        return wire.read_frame(process.stdout)[0]

    with process:
        yield ask
        process.stdin.close()


def open_part(part):
    with open(os.path.join(os.environ["EDGENET_TEST_PARTS"], part + ".zip"), "rb") as stream:
        return stream.read()


def sha256(data):
    import hashlib

    return hashlib.sha256(data).hexdigest()


def test_a_model_is_opened_shown_and_timed_there(ask, bundle, home, photos):
    spec = bundle.manifest
    shape = spec.artifact.input.shape
    manifest = {
        "backend": spec.backend,
        "input": {"shape": list(shape)},
        "preprocessing": spec.preprocessing.to_table(),
        "output": {"dtype": "float32", "scale": None, "zero_point": None, "meaning": "logits"},
        "labels": list(spec.class_names),
    }
    # As the agent names it, whose Python is the worker's.
    path = os.fsencode(os.path.join(home, "blobs", sha256(bundle.artifact))).decode(
        "ascii", "surrogateescape"
    )
    reply = ask(wire.OPEN, manifest=manifest, path=path, threads=1)
    assert reply.get("ok"), reply
    picture = next(path for path in sorted(photos.iterdir()) if path.suffix != ".csv").read_bytes()
    protocol = {"min_runs": 5, "layers_s": 0.1}
    reply = ask(wire.BENCH, picture, protocol=protocol, sizes=[len(picture)])
    assert reply["layers"], reply["layers_absent"]


def test_what_failed_is_told_with_the_names_letters():
    """On such a board a file's name holds surrogates, which no terminal shows."""
    name = "Müller".encode().decode("ascii", "surrogateescape")
    error = Failure("cannot-write", "cannot write " + name, "chmod " + name, path=name).as_json()
    assert (error["what"], error["remedy"]) == ("cannot write Müller", "chmod Müller")
    assert error["path"] == name, "what the agent uses itself stays"
    for text in ("Müller", "\ud800 ü", b"M\xfcller".decode("ascii", "surrogateescape")):
        assert Failure("x", text).as_json()["what"].replace("\ufffd", "?").endswith(("Müller", "ü", "ller"))


def test_a_runtime_that_fails_in_letters_beyond_ascii_says_why(archive_path, tmp_path):
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('für Müller')", "utf-8")
    home = where(tmp_path, "Müller")
    os.mkdir(os.path.join(home, "blobs"))
    data = open_part("runtimes/onnxruntime")
    with open(os.path.join(home, "blobs", sha256(data)), "wb") as stream:
        stream.write(data)
    source = (
        "import sys; sys.path[:0] = sys.argv[1:3]; sys.argv = sys.argv[1:]\n"
        "from edgenet_agent import child; child.main_try('onnxruntime')"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", source, str(archive_path), str(tmp_path)],
        env={**os.environ, **C_LOCALE, "EDGENET_HOME": home},
        capture_output=True,
        check=False,
    )
    assert done.stdout.decode() == "\nEDGENET failed ImportError: für Müller\n", done.stderr


@pytest.mark.parametrize("file", ["Müller.mjpg", "Müller"])
def test_files_of_the_board_are_found_by_their_letters(file, archive_path, tmp_path):
    """``board:Müller.mjpg`` comes as text, whatever the board's Python takes names to be in."""
    (tmp_path / "Müller.mjpg").write_bytes(b"\xff\xd8\xff\xd9")
    (tmp_path / "Müller").mkdir()
    (tmp_path / "Müller" / "größe.png").write_bytes(b"")
    with zipfile.ZipFile(os.environ["EDGENET_TEST_DEMO"]) as archive:
        archive.extractall(tmp_path / "demo")
    source = (
        "import json, sys, edgenet_agent\n"
        "edgenet_agent.__path__.append(sys.argv[1] + '/edgenet_agent')\n"
        "from edgenet_agent.demo import sources\n"
        "found = sources._files_of_the_board(json.loads(sys.argv[2]))\n"
        "open(found['paths'][0], 'rb').close()\n"
        "print(found['kind'])"
    )
    import json

    options = json.dumps({"kind": "files", "paths": [str(tmp_path / file)]})
    done = subprocess.run(
        [interpreter("3.6"), "-c", source, str(tmp_path / "demo"), options],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(archive_path), "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip() == ("folder" if file == "Müller" else "motion-jpeg")
