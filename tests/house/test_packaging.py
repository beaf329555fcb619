"""What a user installs: built from the source archive, put into another place, run there."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import site
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import edgenet
from edgenet.library import KINDS
from tests.house.tree import ROOT, imports, sources

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs the checkout")

# What a build may see: were anything else needed, it would be missing here.
NEEDED = (
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "edgenet",
    "targets",
    "calibration",
    "profiles",
)
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info")
DATA = ("edgenet.targets", "edgenet.calibration", "edgenet.profiles")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and a folder far from the checkout to work in."""

    python: Path
    work: Path

    @property
    def command(self) -> Path:
        return self.python.with_name("edgenet")

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command there with nothing of this process's Python in its environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        place = {"EDGENET_HOME": str(self.work / "home"), "EDGENET_CACHE": str(self.work / "cache")}
        return subprocess.run(
            [str(item) for item in command],
            cwd=self.work,
            env={**kept, **place},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the unpacked source archive, as a package index would get it."""
    folder = tmp_path_factory.mktemp("build")
    copy_tree(folder / "tree")
    archive = build("sdist", folder / "tree", folder)
    with tarfile.open(archive) as opened:
        # Python before 3.11.4 has no filters; the archive is our own.
        opened.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return build("wheel", archive.with_name(archive.name.removesuffix(".tar.gz")), folder)


def copy_tree(to: Path) -> None:
    to.mkdir()
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=IGNORED)
        elif source.is_file():
            shutil.copy(source, to / name)


def build(kind: str, tree: Path, folder: Path) -> Path:
    """Call setuptools as pip and build do, without fetching it anew."""
    program = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A fresh environment with the wheel; the running one lends its dependencies, so no index is needed."""
    there = empty_environment(tmp_path_factory.mktemp("elsewhere"))
    pip(there, "--no-index", "--no-deps", wheel)
    packages = there.run(there.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
    lent = "\n".join(site.getsitepackages())
    Path(packages.strip(), "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    return there


def empty_environment(folder: Path) -> Installed:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (folder / "work").mkdir()
    return Installed(folder / "venv" / "bin" / "python", folder / "work")


def pip(there: Installed, *arguments: str | Path) -> None:
    command = (sys.executable, "-m", "pip", "--python", there.python, "install", "--quiet", *arguments)
    done = there.run(*command)
    assert done.returncode == 0, done.stderr


def test_every_package_of_the_tree_is_listed() -> None:
    found = {name for name, path in sources().items() if path.name == "__init__.py"}
    setuptools = PROJECT["tool"]["setuptools"]
    assert set(setuptools["packages"]) == found | set(DATA)
    assert set(setuptools["package-dir"]) == {"edgenet", *DATA}
    assert {package for package, _ in KINDS.values()} <= set(DATA)


def test_every_data_folder_holds_only_its_docstring_as_code() -> None:
    for package in DATA:
        folder = ROOT / package.partition(".")[2]
        assert [path.name for path in folder.rglob("*.py")] == ["__init__.py"]


def test_the_wheel_holds_all_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    info = f"edgenet-{edgenet.__version__}.dist-info/"
    expected = {wheel_name(path) for path in files_that_ship()}
    assert {name for name in names if not name.startswith(info)} == expected
    assert info + "licenses/LICENSE" in names
    models = ("edgenet/zoo/scenes/scenes.onnx", "edgenet/zoo/signs/signs.onnx")
    sets = ("edgenet/calibration/sets/scenes.zip", "edgenet/calibration/sets/signs.zip")
    for needed in ("edgenet/py.typed", *models, *sets, "edgenet/devices/pins.toml"):
        assert needed in names
    assert len(names) < 1000


def files_that_ship() -> list[Path]:
    """Every file of the package and of the data folders, but no cache."""
    folders = [ROOT / "edgenet", *(ROOT / package.partition(".")[2] for package in DATA)]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and not path.name.startswith(".")]


def wheel_name(path: Path) -> str:
    inside = path.relative_to(ROOT).as_posix()
    return inside if inside.startswith("edgenet/") else f"edgenet/{inside}"


def test_the_wheel_stays_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 12_000_000


def test_the_metadata_says_what_the_project_says(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"edgenet-{edgenet.__version__}.dist-info/METADATA").decode()
    assert "License-Expression: Apache-2.0" in text
    assert "Requires-Python: >=3.11" in text
    assert "test" not in re.findall(r"^Provides-Extra: (.*)$", text, re.MULTILINE)


def test_it_runs_elsewhere(installed: Installed) -> None:
    done = installed.run(installed.command, "--version")
    assert (done.returncode, done.stdout) == (0, f"edgenet {edgenet.__version__}\n")
    where = installed.run(installed.python, "-c", "import edgenet; print(edgenet.__file__)").stdout
    assert where.startswith(str(installed.python.parents[1]))


def test_each_data_folder_can_be_read_there(installed: Installed) -> None:
    program = (
        "import json; from edgenet.library import image_folder, names, find\n"
        "print(json.dumps([[names(kind), str(find(kind, names(kind)[0]))] "
        "for kind in ('target', 'recipe', 'protocol')] + [str(image_folder('signs', 'calib'))]))"
    )
    done = installed.run(installed.python, "-c", program)
    assert done.returncode == 0, done.stderr
    *found, images = json.loads(done.stdout)
    for (names, path), folder in zip(
        found, ("targets", "calibration/recipes", "profiles/protocols"), strict=True
    ):
        assert names == sorted(item.stem for item in (ROOT / folder).glob("*.toml"))
        assert path.startswith(str(installed.python.parents[1]))
    assert len(list(Path(images).glob("*.jpg"))) >= 256


@pytest.mark.slow
def test_quickstart_runs_there(installed: Installed) -> None:
    done = installed.run(installed.command, "quickstart", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    builds = [(report["bundle"]["backend"], report["bundle"]["precision"]) for report in document["reports"]]
    assert builds == [(b, p) for b in ("onnxruntime", "tflite") for p in ("fp32", "int8")]
    assert all(report["drift"]["images"] >= 1000 for report in document["reports"])
    assert document["answer"]["fastest"]["fps_model"] > 0
    assert "Traceback" not in done.stderr


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_it_installs_from_a_git_address_into_an_empty_environment(tmp_path: Path) -> None:
    """Only itself and what it asks for: every command helps, a model compiles, the dependencies agree."""
    there = empty_environment(tmp_path)
    ask = ("download", "--quiet", "--no-deps", "--retries", "0", "--timeout", "10", "-d", tmp_path, "click")
    if there.run(sys.executable, "-m", "pip", *ask).returncode:
        pytest.skip("no package index here")
    pip(there, f"git+{repository(tmp_path / 'repository').as_uri()}")
    program = (
        "from edgenet.cli.main import cli, _run; assert not any(_run([name, '-h']) for name in cli.commands)"
    )
    done = there.run(there.python, "-c", program)
    assert done.returncode == 0, done.stderr
    done = there.run(
        there.command, "compile", "signs", "--target", "local", "--calibration", "signs", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["precision"] == "int8"
    assert there.run(there.python, "-m", "pip", "check").returncode == 0


def repository(folder: Path) -> Path:
    """The tree as the one commit of a git repository."""
    copy_tree(folder)
    name = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for command in (("init", "-q"), ("add", "-A"), (*name, "commit", "-qm", "all")):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def test_dependencies_are_the_ones_imported() -> None:
    """What is asked for is imported (``pip`` is run), and what is imported is asked for."""
    asked = {re.split(r"[^\w-]", item)[0] for item in PROJECT["project"]["dependencies"]}
    optional = {"torch", "tflite-runtime", "tensorrt", "tensorrt-rtx-cu13", "opencv-python-headless"}
    optional |= {"cryptography", "dask", "distributed"}
    homes = importlib.metadata.packages_distributions()
    roots = {
        target.partition(".")[0] for name, path in sources().items() for _, target in imports(name, path)
    }
    used = {
        distribution.lower().replace("_", "-")
        for root in roots - {"edgenet"}
        for distribution in homes.get(root, [])
    }
    assert asked - {"pip"} == used - optional
