"""Which wheels a board gets, and what happens when it cannot use them."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import edgenet.steps.deploy as deploy_step
from edgenet.devices import pins, runtimes, wheelhouse
from edgenet.devices.answers import Trial
from edgenet.devices.archive import part_archives
from edgenet.devices.connect import connect
from edgenet.devices.index import Index
from edgenet.devices.needs import need
from edgenet.devices.platform import Platform
from edgenet.devices.replies import BoardError
from edgenet.devices.runtimes import ensure_runtime
from edgenet.devices.wheelhouse import fetch
from edgenet.errors import DeviceError
from edgenet.facts import Facts
from edgenet.steps.compile import compile

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def test_every_pin_is_exact_and_has_what_it_needs():
    for backend, rows in pins._table().items():
        for row in rows:
            assert all(wheel.count("==") == 1 for wheel in row.wheels)
            names = [wheel.partition("==")[0] for wheel in row.wheels]
            assert names[1:] in (["numpy", "pillow", "simplejpeg"], ["numpy", "pillow"], []), (backend, names)
            assert "numpy" in names or [need.project for need in row.needs] == ["numpy"], (backend, names)


def test_tags_of_a_board():
    tags = Platform("3.11", "aarch64", "2.28").tags()
    assert tags[0] == "manylinux_2_28_aarch64"
    assert tags[-2:] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64"]
    assert "manylinux_2_29_aarch64" not in tags
    assert Platform("3.11", "x86_64", "2.28").tags()[-1] == "manylinux1_x86_64"
    assert Platform("3.11", "riscv64", "2.28").tags() == []


def test_failed_fetch_is_one_line_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(DeviceError, match=r"cannot fetch numpy==1\.26\.4 for Python 3\.11") as caught:
        fetch(["numpy==1.26.4"], Platform("3.11", "aarch64", "2.36"))
    assert "\n" not in str(caught.value)
    left = (tmp_path / "cache" / "wheelhouse").iterdir()
    assert [path.name for path in left if path.suffix != ".lock"] == []


def fake_wheel(folder, name, source):
    """A wheel whose onnxruntime is ``source``; with an empty numpy where importing is all."""
    path = folder / f"{name}-1-py3-none-any.whl"
    if path.exists():
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("onnxruntime/__init__.py", source)
        if "InferenceSession" not in source:
            archive.writestr("numpy/__init__.py", "")
        archive.writestr(f"{name}-1.dist-info/RECORD", "")
    return path


WORKS = "__version__ = '9.9'\nclass _Any:\n    pass\n"
ILLEGAL = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n"
MISSING = "raise ImportError('libatomic.so.1: cannot open shared object file')\n"


@pytest.fixture
def bare(board, monkeypatch, tmp_path):
    """An agent whose board has no runtime, and wheels made here; ``bare(sources)`` gives the agent."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    fetched = []

    def begin(**sources):
        pins = [runtimes.Pin((f"{name}==1",), Platform("3.11", "x86_64", "2.36")) for name in sources]
        made = {f"{name}==1": fake_wheel(wheels, name, source) for name, source in sources.items()}
        monkeypatch.setattr(runtimes, "candidates", lambda *_: pins)
        monkeypatch.setattr(
            runtimes, "fetch", lambda wanted, *_: fetched.append(wanted[0]) or [made[wanted[0]]]
        )
        agent = connect("board")
        agent._facts = agent.facts(["onnxruntime"]).changed(runtimes={})
        return agent

    begin.fetched = fetched
    begin.board = board
    return begin


def test_runtime_is_sent_and_tried(bare):
    events = []
    with bare(good=WORKS) as agent:
        choice = ensure_runtime(agent, "onnxruntime", events.append)
        assert choice.version == "9.9"
        assert choice.wheels == ("good-1-py3-none-any.whl",)
        assert agent.runtimes().runtimes == (choice.digest,)
        assert [event["stage"] for event in events] == ["fetch", "send", "try"]
    with bare(good=WORKS) as agent:
        before = agent.bytes_sent
        assert ensure_runtime(agent, "onnxruntime") == choice
        assert agent.bytes_sent - before < 2048
    kept = [path.name for path in (bare.board.edgenet_home / "blobs").iterdir()]
    assert kept == [part_archives()["runtimes/onnxruntime"].digest], "the agent's part, no wheel"


def test_what_the_board_lacks_is_sent_along_from_the_user_s_index(bare, monkeypatch, tmp_path):
    """Kept in the runtime's own folder, which comes before the board's packages."""
    wheels = tmp_path / "of-the-index"
    wheels.mkdir()
    taken = []
    monkeypatch.setenv("EDGENET_INDEX", "https://example.invalid/simple")
    monkeypatch.setattr(
        runtimes,
        "take",
        lambda needs, platform, index: taken.append((needs, index)) or [fake_wheel(wheels, "extra", MISSING)],
    )
    with bare(good=WORKS) as agent:
        (pin,) = runtimes.candidates("onnxruntime", None)
        pins = [pin._replace(lacking=(need("extra>=1,<2"),))]
        monkeypatch.setattr(runtimes, "candidates", lambda *_: pins)
        monkeypatch.setattr(runtimes, "fetch", lambda *_: [fake_wheel(tmp_path / "wheels", "good", WORKS)])
        with pytest.raises(DeviceError, match="libatomic") as caught:  # the index's wheel was unpacked last
            ensure_runtime(agent, "onnxruntime")
        assert "good==1" in caught.value.what
        (sent,) = agent.runtimes().runtimes
        listed = bare.board.edgenet_home / "runtimes" / sent
        assert (listed / "extra-1.dist-info").is_dir()
    assert taken == [(["extra>=1,<2"], Index.parse("https://example.invalid/simple"))]


def damaged_silently(board, digest, source):
    """Another module of the same size and time, as a card that forgets would have it."""
    module = board.edgenet_home / "runtimes" / digest / "onnxruntime" / "__init__.py"
    before = module.stat()
    assert len(source) == before.st_size
    module.write_bytes(source)
    shutil.rmtree(module.parent / "__pycache__", ignore_errors=True)
    os.utime(module, (before.st_atime, int(before.st_mtime)))


def test_a_damaged_runtime_is_sent_again_and_that_is_told(bare):
    """Before: its import failed, the next runtime was taken without a word, and so it stayed for ever."""
    with bare(good=WORKS, other=WORKS) as agent:
        choice = ensure_runtime(agent, "onnxruntime")
        module = bare.board.edgenet_home / "runtimes" / choice.digest / "onnxruntime" / "__init__.py"
        for damage in ("gone", "silent"):
            if damage == "gone":
                module.unlink()
            else:  # only a failing import makes anybody read it
                damaged_silently(bare.board, choice.digest, b"!" * len(WORKS))
            events = []
            assert ensure_runtime(agent, "onnxruntime", events.append) == choice, damage
            assert [event["stage"] for event in events if "damaged" in event["stage"]], damage
            assert module.read_text() == WORKS


def test_damaged_compiled_code_is_made_again(bare):
    """No list knows it, for the board's Python wrote it."""
    with bare(good=WORKS, other=WORKS) as agent:
        choice = ensure_runtime(agent, "onnxruntime")
        folder = bare.board.edgenet_home / "runtimes" / choice.digest / "onnxruntime"
        (compiled,) = (folder / "__pycache__").iterdir()
        compiled.write_bytes(compiled.read_bytes()[:20])
        assert ensure_runtime(agent, "onnxruntime") == choice


def test_a_deployment_whose_runtime_is_damaged_says_so(bare, net):
    with bare(good=WORKS) as agent:
        choice = ensure_runtime(agent, "onnxruntime")
        agent.begin()
        agent.send_blobs([net("a").blob])
        agent.deploy(net("a").manifest(runtime=choice.digest))
        (bare.board.edgenet_home / "runtimes" / choice.digest / "onnxruntime" / "__init__.py").unlink()
        with pytest.raises(BoardError, match="was damaged and is removed") as caught:
            agent.open(None, 1)
        assert caught.value.remedy == "deploy again: it is sent again"


def test_illegal_instruction_falls_back_and_is_remembered(bare):
    with bare(first=ILLEGAL, second=WORKS) as agent:
        assert ensure_runtime(agent, "onnxruntime").wheels == ("second-1-py3-none-any.whl",)
        assert bare.fetched == ["first==1", "second==1"]
        assert ensure_runtime(agent, "onnxruntime").wheels == ("second-1-py3-none-any.whl",)
        assert bare.fetched == ["first==1", "second==1", "second==1"], "the one that works is tried first"


def test_offline_the_remedy_is_the_command_that_fetches(bare, monkeypatch):
    with bare(good=WORKS) as agent:
        monkeypatch.setattr(runtimes, "fetch", wheelhouse.fetch)
        monkeypatch.setattr(wheelhouse, "_download", lambda *_: pytest.fail("the network was used"))
        with pytest.raises(DeviceError, match="offline, and good==1 for Python") as caught:
            ensure_runtime(agent, "onnxruntime", offline=True)
        assert "edgenet wheelhouse --python" in caught.value.remedy


def test_nothing_works(bare):
    with bare(first=ILLEGAL, second=MISSING) as agent:
        with pytest.raises(DeviceError) as caught:
            ensure_runtime(agent, "onnxruntime")
        assert "SIGILL (illegal instruction)" in caught.value.what
        assert "libatomic.so.1" in caught.value.what


# An onnxruntime that imports; what `run` does is put in.
RUNS = """
import os, signal
import numpy
__version__ = "{version}"
class SessionOptions: pass
class ExecutionMode: ORT_SEQUENTIAL = 0
class Value:
    def __init__(self, name, shape, type):
        self.name, self.shape, self.type = name, shape, type
class InferenceSession:
    def __init__(self, path, options, providers): pass
    def get_inputs(self): return [Value("pixels", [1, 64, 64, 3], "tensor(uint8)")]
    def get_outputs(self): return [Value("logits", [1, 5], "tensor(float)")]
    def get_providers(self): return []
    def run(self, names, feed):
        {run}
        return [numpy.zeros((1, 5), numpy.float32)]
"""


def test_illegal_instruction_while_it_runs(bare, model, monkeypatch):
    """It imports, and dies on the first image: deploy runs the model once, and takes the next."""
    bundle = compile(model, "local", "onnxruntime", "fp32").bundle
    monkeypatch.setattr("edgenet.steps.stage.check_health", lambda *_: None)  # it answers zeros
    monkeypatch.setattr(deploy_step, "there_already", lambda *_: None)  # the second time as on a new board
    first = RUNS.format(version="1.first", run="os.kill(os.getpid(), signal.SIGILL)")
    second = RUNS.format(version="1.second", run="pass")
    for expected in (["first==1", "second==1"], ["second==1"]):
        bare.fetched.clear()
        with bare(first=first, second=second) as agent:
            monkeypatch.setattr(deploy_step, "connect", lambda device, tell, agent=agent: agent)
            assert deploy_step.deploy(bundle, "board").runtime == "1.second"
        assert bare.fetched == expected, "the outcome is remembered"


def test_damage_that_shows_when_the_model_runs_is_no_reason_for_another_runtime(bare, model, monkeypatch):
    """A signal is remembered for all boards of this kind; that of a damaged library must not be."""
    bundle = compile(model, "local", "onnxruntime", "fp32").bundle
    monkeypatch.setattr("edgenet.steps.stage.check_health", lambda *_: None)  # it answers zeros
    kill = "os.kill(os.getpid(), signal.SIGSEGV)"
    first = RUNS.format(version="1.first", run="pass".ljust(len(kill)))
    wheels = {"first": first, "second": RUNS.format(version="1.second", run="pass")}
    for damage in (False, True):
        told = []
        with bare(**wheels) as agent:
            monkeypatch.setattr(deploy_step, "connect", lambda device, tell, agent=agent: agent)
            if damage:
                for digest in agent.runtimes().runtimes:
                    damaged_silently(
                        bare.board, digest, first.replace("pass".ljust(len(kill)), kill).encode()
                    )
                shutil.rmtree(bare.board.edgenet_home / "deployments")  # where it has proved itself
                (bare.board.edgenet_home / "deployments").mkdir(0o700)
            made = deploy_step.deploy(
                bundle, "board", progress=lambda stage, *_, told=told: told.append(stage)
            )
            assert made.runtime == "1.first"
        assert ("damaged there, sent again: first==1" in told) == damage


def test_a_model_that_no_runtime_runs_does_not_become_current(bare, model, monkeypatch, net):
    bundle = compile(model, "local", "onnxruntime", "fp32").bundle
    with connect("board") as agent:
        net("old").deploy(agent)
    for run, why in (
        ("os.kill(os.getpid(), signal.SIGILL)", "SIGILL when it runs the model"),
        ("raise RuntimeError('no such operator')", "no such operator"),
    ):
        with bare(**{f"only{len(run)}": RUNS.format(version="1", run=run)}) as agent:
            monkeypatch.setattr(deploy_step, "connect", lambda device, tell, agent=agent: agent)
            with pytest.raises(DeviceError, match=why):
                deploy_step.deploy(bundle, "board")
    with connect("board") as agent:
        assert agent.deployments().current == net("old").digest


def test_offline_names_the_wheel_and_the_command(monkeypatch):
    monkeypatch.setattr(wheelhouse, "_download", lambda *_: pytest.fail("the network was used"))
    with pytest.raises(DeviceError, match=r"offline, and numpy==1\.26\.4 for Python 3\.11") as caught:
        fetch(["numpy==1.26.4"], Platform("3.11", "aarch64", "2.28"), offline=True)
    assert caught.value.remedy.endswith("edgenet wheelhouse --python 3.11 --machine aarch64")


def test_own_packages_come_first():
    with connect("local") as agent:
        choice = ensure_runtime(agent, "onnxruntime")
        assert choice.digest is None
        assert choice.version == agent.facts().runtimes["onnxruntime"]


def tiny_onnx():
    """uint8 [1, 4, 4, 3] → float [1, 3]: the channels' means."""
    nodes = [
        helper.make_node("Cast", ["pixels"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real"], ["means"], axes=[1, 2], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, 4, 4, 3])],
        [helper.make_tensor_value_info("means", TensorProto.FLOAT, [1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.6", "3.13"])
def test_bare_python_runs_a_model(start_board, make_blob, net, picture, monkeypatch, tmp_path, version):
    """A board with nothing but a Python gets a runtime from this host, and uses it.

    Its locale is C, in which Python 3.6 takes file names to be ASCII, and its home is of other letters.
    """
    found = sorted(PYENV.glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no bare Python {version} here")
    home = str(tmp_path / "Müller")
    start_board({"EDGENET_PYTHON": str(found[0]), "EDGENET_HOME": home, "LC_ALL": "C"})
    artifact = make_blob(tiny_onnx())
    with connect("board") as agent:
        if agent.facts(["onnxruntime"]).runtimes:
            pytest.skip("this Python is not bare")
        agent.begin()
        choice = ensure_runtime(agent, "onnxruntime")
        agent.send_blobs([artifact])
        agent.deploy(
            net("größe").manifest(
                backend="onnxruntime",
                artifact=artifact.digest,
                artifact_size=artifact.size,
                runtime=choice.digest,
            )
        )
        session = agent.open(None, 1)
        assert session.loaded.runtime_version == choice.version
        assert "jpeg" in session.loaded.decodes
        assert [item.name for item in agent.deployments().deployments] == ["größe"]
        from PIL import Image

        stream = io.BytesIO()
        Image.new("RGB", (9, 7), (10, 20, 30)).save(stream, "PNG")
        (answer,) = session.replay([stream.getvalue()])
        np.testing.assert_allclose(answer.output, [10, 20, 30])
        assert answer.output.dtype == np.float32
        assert len(session.bench({"min_runs": 5}, [picture(1)]).model_ms) == 5
    monkeypatch.setattr(wheelhouse, "_download", lambda *_: pytest.fail("the network was used a second time"))
    with connect("board") as agent:
        assert ensure_runtime(agent, "onnxruntime") == choice


def test_this_python_is_what_the_board_runs(board):
    with connect("board") as agent:
        assert agent.facts().python_executable == sys.executable


def test_what_several_boards_teach_at_once_is_all_remembered(monkeypatch, tmp_path):
    """Deploys to boards of one kind run side by side in threads; each notes what it saw."""
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path))
    pins = [runtimes.Pin((f"r{number}==1",), Platform("3.11", "x86_64", "2.36")) for number in range(8)]
    memories = [runtimes._Memory("onnxruntime", Facts(cores=4)) for _ in pins]
    trial = Trial(False, "", "SIGILL", "SIGILL")
    threads = [threading.Thread(target=m.note, args=(p, trial)) for m, p in zip(memories, pins, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (path,) = (tmp_path / "runtimes").glob("*.json")
    assert json.loads(path.read_bytes()) == {f"r{number}==1": "SIGILL" for number in range(8)}
