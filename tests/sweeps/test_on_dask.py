"""A sweep's jobs on Dask: the same results as here, whatever dies in the middle."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenet.errors import ConnectionFailed, ConnectionLost, DataError, DeviceError, PlanError
from edgenet.files import sha256
from edgenet.sweeps.build import Build, BuildJob, Built, build
from edgenet.sweeps.engine import Engine, Here
from edgenet.sweeps.engines import engine_for
from edgenet.sweeps.images import Images
from edgenet.target import Target
from tests.conftest import CHEAP
from tests.house.tree import ROOT
from tests.sweeps import jobs
from tests.sweeps.clusters import UserCluster, gone

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed"),
    # Of Dask and its event loop, at their end.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

from edgenet.sweeps import joined_cluster, on_dask  # noqa: E402
from edgenet.sweeps.on_dask import OnDask, resource  # noqa: E402


@pytest.fixture(scope="module")
def own() -> Iterator[Engine]:
    """Two processes of this machine; a board each."""
    engine = engine_for(None, 2, ["pi@a", "local"])
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UserCluster]:
    """A user's cluster of two hosts, one of which reaches a board."""
    cluster = UserCluster(tmp_path_factory.mktemp("cluster"), ("", "board-pi4=1"))
    yield cluster
    cluster.close()


@pytest.fixture
def joined(theirs: UserCluster) -> Iterator[Engine]:
    engine = engine_for(theirs.address, None, [])
    yield engine
    engine.close()


def results(engine: Engine, work: list[BuildJob]) -> list[list[tuple[object, ...]]]:
    found: dict[int, tuple[Built, ...]] = {}
    for outcome in engine.run(build, work):
        assert outcome.error is None, outcome.error
        found[outcome.index] = outcome.value
    return [
        [(item.bundle and sha256(item.bundle), item.failure, item.drift) for item in found[index]]
        for index in range(len(work))
    ]


def test_here_on_processes_and_on_two_hosts_the_bytes_are_the_same(
    model_file: Path, photos: Path, own: Engine, joined: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On hosts that see neither the model's file nor the images: they come with the jobs, or are sent."""
    monkeypatch.chdir(photos.parent)
    images = Images.of(photos.name, "val")
    assert not Path(images.folder).is_absolute()
    model = os.path.relpath(model_file)
    builds = tuple(Build(name, "int8") for name in ("onnxruntime", "tflite", "tensorrt"))
    fast = tuple(Build(name, "fp32") for name in ("onnxruntime", "tflite"))
    how = {"calibration": images, "val": images, "cache": False}
    target = Target.load("raspberry-pi-4")
    work = [BuildJob(model, target, chosen, **how) for chosen in (_cheap(builds), fast)]
    here = results(Here(), work)
    assert [[item[0] is not None for item in line] for line in here] == [[True, True, False], [True, True]]
    assert results(own, work) == here
    assert results(joined, work) == here


def _cheap(builds: tuple[Build, ...]) -> tuple[Build, ...]:
    from dataclasses import replace

    from edgenet.recipe import Recipe

    return tuple(replace(item, recipe=Recipe.load(CHEAP)) for item in builds)


def test_images_are_sent_once_to_a_worker_that_lacks_them(
    photos: Path, joined: Engine, theirs: UserCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    images, sent = Images.of(photos.name, "val"), []
    monkeypatch.setattr("edgenet.sweeps.sending.PART", 20_000)
    send = on_dask.send
    monkeypatch.setattr(on_dask, "send", lambda *given: (sent.append(given[-1]), send(*given)))
    looked = [outcome.value for outcome in joined.run(jobs.look, [images] * 6)]
    assert len(sent) == len(set(sent)) <= 2
    assert {count for count, _, _ in looked} == {12}
    kept = {str(theirs.cache(number) / "images" / images.digest) for number in (0, 1)}
    assert {folder for _, folder, _ in looked} <= kept


def test_images_that_do_not_reach_a_worker_fail_their_job_alone(
    photos: Path, joined: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "0.ppm").write_bytes((photos / "00.ppm").read_bytes())
    monkeypatch.chdir(tmp_path)
    images, tries = Images.of("set", "val"), []

    def fail(*given: object) -> None:
        tries.append(given[-1])
        raise DataError("set: cannot be kept on a worker", "make room there")

    monkeypatch.setattr(on_dask, "send", fail)
    (failed,) = joined.run(jobs.look, [images])
    assert isinstance(failed.error, DataError)
    assert len(tries) == on_dask.SENDINGS
    monkeypatch.setattr(on_dask, "send", lambda *_: None)
    (lacking,) = joined.run(jobs.look, [images])
    assert "sent to tcp://" in str(lacking.error)
    assert [item.value for item in joined.run(jobs.square, [2])] == [4]


def test_a_worker_computes_in_one_core_and_what_it_starts_does_not_inherit_that(own: Engine) -> None:
    assert [item.value for item in own.run(jobs.threads, [None])] == [1]
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_"]
    assert [item.value for item in own.run(jobs.environment, names)] == [None] * 3


def test_errors_come_back_as_what_they_are(own: Engine) -> None:
    (refused,) = own.run(jobs.refuse, ["three eyes"])
    assert type(refused.error) is DataError
    assert (refused.error.what, refused.error.remedy) == ("three eyes", "try another")
    (failed,) = own.run(jobs.fail, ["by nought"])
    assert type(failed.error) is ZeroDivisionError


def test_a_worker_that_is_killed_loses_nothing(own: Engine, tmp_path: Path) -> None:
    done = list(own.run(jobs.end_worker_once, [tmp_path / "first", tmp_path / "second"]))
    assert sorted(item.index for item in done) == [0, 1]
    assert all(item.error is None for item in done)
    assert sorted(item.value for item in own.run(jobs.square, range(20))) == [n * n for n in range(20)]


def test_a_job_that_kills_every_worker_fails_alone(own: Engine) -> None:
    (failed,) = own.run(jobs.end_worker, [None])
    assert isinstance(failed.error, DeviceError)
    assert "3 workers died" in failed.error.what
    assert [item.value for item in own.run(jobs.square, [3])] == [9]


def test_a_board_is_one_jobs_alone_while_builds_go_on(own: Engine, tmp_path: Path) -> None:
    measured, built = tmp_path / "measured", tmp_path / "built"
    measured.mkdir()
    built.mkdir()
    asks = [(["pi@a"], measured, 2), (["pi@a"], measured, 2), ([], built, 6)]
    threads = [
        threading.Thread(target=lambda ask=ask: list(own.run(jobs.nap, [ask[1]] * ask[2], *ask[0])))
        for ask in asks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times, others = (
        sorted(tuple(map(float, path.read_text().split())) for path in folder.iterdir())
        for folder in (measured, built)
    )
    assert len(times) == 4
    assert len(others) == 6
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))
    assert len({process for _, _, process in times}) == 1, "one worker has the board"
    assert any(one[0] < two[1] and two[0] < one[1] for one in times for two in others)


def test_no_more_is_on_its_way_than_workers_can_do(own: Engine, tmp_path: Path) -> None:
    """So that what is left is dropped at once when a sweep ends."""
    outcomes = own.run(jobs.nap, [tmp_path] * 20)
    next(outcomes)
    outcomes.close()
    time.sleep(0.6)
    assert len(list(tmp_path.iterdir())) <= 4


PROGRAM = """
import sys
from edgenet.sweeps.engines import engine_for
from tests.sweeps import jobs
if __name__ == "__main__":
    engine = engine_for(None, 2, ["local"])
    try:
        print(*{item.value for item in engine.run(jobs.process, [None] * 8)}, flush=True)
        list(engine.run(jobs.compute, [60.0] * 6))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    finally:
        engine.close()
"""


def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        [sys.executable, str(program)],
        **{"env": env, "text": True, "start_new_session": True},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    pids = [int(word) for word in process.stdout.readline().split()]
    assert pids
    time.sleep(0.5)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - begin < 30, "nothing was waited for"
    assert (process.returncode, out, err) == (0, "interrupted\n", "")
    assert all(gone(pid) for pid in pids)
    assert not list(temporary.iterdir())


def test_a_board_that_no_worker_has_is_told_with_the_command(theirs: UserCluster) -> None:
    engine = OnDask(lambda: joined_cluster.JoinedCluster(theirs.address), patience=0.5)
    try:
        assert [item.value for item in engine.run(jobs.square, [2], "pi4")] == [4]
        with pytest.raises(DeviceError, match="no worker at .* has pi@lab") as failed:
            list(engine.run(jobs.square, [2], "pi@lab"))
        assert f'dask worker {theirs.address} --nthreads 1 --resources "board-pi-lab=1"' in str(failed.value)
    finally:
        engine.close()


def test_another_edgenet_is_refused_before_any_job(
    theirs: UserCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgenet.cache import made_by

    told = made_by() | {"sources": "0" * 64}
    monkeypatch.setattr("edgenet.sweeps.same_edgenet.made_by", lambda: told)
    with pytest.raises(PlanError, match="the scheduler has another edgenet of the same version"):
        joined_cluster.JoinedCluster(theirs.address)


def test_a_worker_that_comes_later_with_another_edgenet_does_nothing(
    theirs: UserCluster, joined: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgenet.cache import made_by

    assert [item.value for item in joined.run(jobs.square, [2])] == [4]
    told = made_by() | {"onnxruntime": "1.0"}
    monkeypatch.setattr("edgenet.sweeps.on_dask.made_by", lambda: told)
    monkeypatch.setattr("edgenet.sweeps.same_edgenet.made_by", lambda: told)
    with pytest.raises(PlanError, match=r"the worker tcp://.* has onnxruntime .*, and here it is 1\.0"):
        list(joined.run(jobs.square, [2]))


def test_no_scheduler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined_cluster, "ANSWERS_S", 0.3)
    engine = engine_for("tcp://127.0.0.1:9", None, [])
    with pytest.raises(ConnectionFailed, match="no scheduler of Dask answers at tcp://127.0.0.1:9"):
        list(engine.run(jobs.square, [1]))
    engine.close()


def test_a_boards_resource_is_a_word() -> None:
    assert resource("pi@raspberrypi.local:22") == "board-pi-raspberrypi-local-22"
    assert resource("local") == "board-local"


def test_a_scheduler_that_goes_away_ends_the_run_with_what_is_done(
    theirs: UserCluster, joined: Engine, tmp_path: Path
) -> None:
    """Last, for the cluster is no more after it."""
    outcomes = joined.run(jobs.nap, [tmp_path] * 20)
    done = [next(outcomes), next(outcomes)]
    os.kill(theirs.scheduler.pid, signal.SIGKILL)
    with pytest.raises(ConnectionLost, match="went away: run it again: finished work is kept"):
        done += outcomes
    assert len({outcome.index for outcome in done}) == len(done) <= 4
