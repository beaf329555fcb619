"""Pages that cannot rot: they are compared with the code, and their examples run."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from edgenet.agent.preprocess import INTERPOLATIONS, RESIZES
from edgenet.cli.main import cli
from edgenet.errors import LibraryError
from edgenet.library import names
from edgenet.manifest import Manifest
from edgenet.pages import DOCS
from edgenet.preprocessing import COLORS, Preprocessing
from edgenet.record import Record
from edgenet.report import Report
from edgenet.swept import STATES, Answer, Cell, CellAccuracy, CellDrift, CellFps, Saved, Sweep
from edgenet.target import Target
from edgenet.task import load_task
from edgenet.tasks import task_names
from tests.house.tree import PACKAGE, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("profiles/**/*.md")])
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language, without their indentation."""
    found = [(len(match[1]), match[3]) for match in FENCE.finditer(text(page)) if match[2] == language]
    return ["".join(line[indent:] for line in block.splitlines(keepends=True)) for indent, block in found]


def commands() -> Iterator[tuple[str, str]]:
    """(page, command line) of every ``edgenet …`` in a shell block or in back quotes."""
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        lines = [line for block in blocks(name, "sh") for line in block.splitlines()]
        lines += re.findall(r"`(edgenet [a-z][^`]*)`", text(name))
        yield from ((name, line.strip()) for line in lines if line.strip().startswith("edgenet "))


def test_pages_that_are_made_are_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    made = dict(importlib.import_module("generate").made())
    assert {path.name for path in made} >= {
        "cli.md",
        "models.md",
        "tflite-files.md",
        "estimate.md",
        "answer.md",
    }
    for path, wanted in made.items():
        assert path.read_text(encoding="utf-8") == wanted, f"{path.name}: run make docs"
    for name in cli.commands:
        assert f"## edgenet {name}\n" in text("docs/cli.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    dead = [
        link
        for link in links
        if "://" not in link and not (page.parent / link.partition("#")[0]).resolve().exists()
    ]
    assert not dead


def test_every_page_has_its_place_in_the_site() -> None:
    """What ``make docs`` holds too, where mkdocs is installed."""
    listed = re.findall(r": ([\w/-]+\.md)$", text("mkdocs.yml"), re.MULTILINE)
    assert sorted(listed) == sorted(
        path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")
    )
    assert f"site_url: {DOCS}\n" in text("mkdocs.yml")


def test_pages_that_the_code_points_to_exist() -> None:
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    named = {name for source in sources for name in re.findall(r"docs/[\w-]+\.md", source)}
    assert named
    assert not [name for name in named if not (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "page", ["docs/layout.md", "docs/add-a-backend.md", "docs/add-a-board.md", "CONTRIBUTING.md"]
)
def test_files_named_in_a_page_exist(page: str) -> None:
    named = re.findall(r"`((?:[\w.-]+/)+(?:[\w-]+\.[a-z]+)?)`", text(page))
    assert named
    missing = [name for name in named if not name.startswith("~") and not list(found(name))]
    assert not [name for name in missing if "NAME" not in name]


def found(name: str) -> Iterator[Path]:
    for base in (ROOT, PACKAGE):
        yield from [base / name] if (base / name).exists() else []


def test_layout_names_every_folder() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() + "/" for path in PACKAGE.rglob("__init__.py")}
    data = {
        "targets/",
        "calibration/recipes/",
        "calibration/sets/",
        "profiles/protocols/",
        "profiles/reference/",
    }
    page = text("docs/layout.md")
    assert not [name for name in sorted(folders | data) if f"`{name}`" not in page]


def test_every_command_line_in_the_pages_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seen, wrong = set(), []
    for page, line in commands():
        words = shlex.split(line, comments=True)[1:]
        words = list(itertools.takewhile(lambda word: word not in (">", ">>", "||", "&&"), words))
        for before, word in itertools.pairwise(words):
            if before in ("--fleet", "--key", "--signers") or word.endswith(
                (".edgenet", ".json", ".onnx", ".keras")
            ):
                Path(word).touch()
        if reason := refusal(words):
            wrong.append(f"{page}: {line}: {reason}")
        seen.add(words[0])
    assert not wrong
    assert seen >= set(cli.commands)


def refusal(words: list[str]) -> str:
    """Why click would not accept a command line, or ""; ``edgenet profile`` alone only names a command."""
    command = cli.commands.get(words[0])
    if command is None and words[0] in ("--help", "--version"):
        return ""
    if command is None:
        return "no such command"
    try:
        if len(words) > 1:
            command.make_context(words[0], words[1:])
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_make_targets_named_in_the_pages_exist() -> None:
    made = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    pages = [page.relative_to(ROOT).as_posix() for page in PAGES]
    named = {name for page in pages for name in re.findall(r"`make ([a-z-]+)", text(page))}
    shell = "\n".join(block for page in pages for block in blocks(page, "sh"))
    named |= set(re.findall(r"^make ([a-z-]+)", shell, re.MULTILINE))
    assert named == made


class TestModelCards:
    """docs/preprocessing.md against edgenet/preprocessing.py."""

    def test_examples_are_valid(self) -> None:
        cards = [
            tomllib.loads(block)
            for block in blocks("docs/preprocessing.md", "toml") + blocks("README.md", "toml")
        ]
        assert len(cards) == 5
        for card in cards:
            Preprocessing.from_table(card["preprocessing"], "page")

    def test_every_key_and_value_is_named(self) -> None:
        page = text("docs/preprocessing.md")
        keys = {*Preprocessing.__dataclass_fields__, "task", "output", "label_offset", "labels"}
        assert not [key for key in keys if f"`{key}`" not in page]
        outputs = [name for task in task_names() for name in load_task(task).outputs]
        values = (*COLORS, *task_names(), *outputs, *RESIZES, *INTERPOLATIONS)
        assert not [value for value in values if f'`"{value}"`' not in page]


class TestBoards:
    """docs/add-a-board.md against edgenet/target.py."""

    def example(self, folder: Path) -> Path:
        path = folder / "my-board.toml"
        path.write_text(blocks("docs/add-a-board.md", "toml")[0], encoding="utf-8")
        return path

    def test_the_example_is_a_target(self, tmp_path: Path) -> None:
        target = Target.load(str(self.example(tmp_path)))
        assert target.name == "my-board"
        assert list(target.backends) == ["tflite", "onnxruntime"]

    @pytest.mark.parametrize("key", ["name", "title", "verified", "machine", "precisions"])
    def test_what_must_be_there_must(self, key: str, tmp_path: Path) -> None:
        path = self.example(tmp_path)
        path.write_text(
            re.sub(rf"^{key} = .*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE),
            encoding="utf-8",
        )
        with pytest.raises(LibraryError, match=f"no '{key}'"):
            Target.load(str(path))

    def test_every_board_is_in_the_list(self) -> None:
        listed = CliRunner().invoke(cli, ["targets", "--json"])
        assert {board["name"] for board in json.loads(listed.output)} == set(names("target"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to follow the pages in, with a home of its own for the board that this machine is."""
    return tmp_path_factory.mktemp("follow")


def run(program: str, work: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command, *([] if command else ["-c", program])],
        cwd=work,
        env={**os.environ, "EDGENET_HOME": str(work / "home"), "EDGENET_CACHE": str(work / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(work: Path) -> Any:
    """What the page's own line compiles into signs.edgenet: its manifest."""
    (line,) = blocks("docs/bundle.md", "sh")
    return json.loads(run("", work, "-m", "edgenet", *shlex.split(line)[1:], "--json"))


def test_every_verdict_is_named() -> None:
    states = set(
        re.findall(r'"([A-Z]{5,})"', (PACKAGE / "measure" / "verdict.py").read_text(encoding="utf-8"))
    )
    assert len(states) >= 4
    for page in ("README.md", "docs/report.md"):
        assert not [state for state in states if f"`{state}`" not in text(page)]


@pytest.mark.slow
class TestExamples:
    """The pages' Python runs as it stands there, and what it makes has the fields the pages name."""

    def test_readme(self, work: Path) -> None:
        (program,) = blocks("README.md", "python")
        assert re.fullmatch(r"\d+ FPS, [+-]\d+\.\d pp, [A-Z]+\n", run(program, work))

    def test_running_the_artifact_alone(self, work: Path, made: Any) -> None:
        (program,) = blocks("docs/bundle.md", "python")
        assert "edgenet" not in re.sub(r'"[^"]*"', "", program).replace("signs.edgenet", "")
        label = run(program, work).rpartition(" ")[0]
        assert label in made["labels"]

    def test_every_key_of_a_manifest_is_named(self, work: Path, made: Any) -> None:
        manifest = json.loads(run("", work, "-m", "edgenet", "inspect", "signs.edgenet", "--json"))
        fields = {item.name for item in dataclasses.fields(Manifest)}
        assert fields <= set(manifest) <= {*made, "signature"}
        assert not sorted(
            unnamed(
                manifest,
                text("docs/bundle.md"),
                skip=("files", "preprocessing", "recipe", "digest", "signature"),
            )
        )

    @pytest.mark.usefixtures("made")
    def test_every_key_of_a_report_is_named(self, work: Path) -> None:
        limits = ("--min-fps", "1", "--max-drift", "50")
        run("", work, "-m", "edgenet", "deploy", "signs.edgenet")
        said = run(
            "", work, "-m", "edgenet", "profile", "signs.edgenet", "--protocol", "quick", *limits, "--json"
        )
        report = json.loads(said)
        assert set(report) == set(Report.__dataclass_fields__)
        assert not sorted(unnamed(report, text("docs/report.md"), skip=("facts", "absent")))


@pytest.mark.parametrize("record", [Sweep, Cell, CellFps, CellAccuracy, CellDrift, Answer, Saved])
def test_every_key_of_a_sweep_is_named(record: type[Record]) -> None:
    keys = {item.name: None for item in dataclasses.fields(record)}  # type: ignore[arg-type]
    assert not sorted(unnamed(keys, text("docs/sweep.md"), skip=()))


def test_every_state_of_a_cell_is_named() -> None:
    assert not unnamed(dict.fromkeys(STATES), text("docs/sweep.md"), skip=())


def unnamed(value: Any, page: str, skip: tuple[str, ...]) -> set[str]:
    """Keys anywhere in a JSON document that a page does not name in back quotes."""
    if isinstance(value, list):
        return set().union(*(unnamed(item, page, skip) for item in value[:1]))
    if not isinstance(value, dict):
        return set()
    missing = {key for key in value if not re.search(rf"`(?:[\w.]+\.)?{re.escape(key)}[`.]", page)}
    return missing.union(*(unnamed(item, page, skip) for key, item in value.items() if key not in skip))
