"""Write docs/cli.md from what ``--help`` says, and tables made from code and data into other pages.

python docs/generate.py             writes the pages
python docs/generate.py --check     exit 1 if a page is not what would be written
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import estimate_tables

from edgenet.cli.main import cli
from edgenet.importers.keras_network import layers
from edgenet.importers.keras_network.layers import activation, table
from edgenet.importers.tflite_file.operators.table import OPERATORS

CLI, MODELS, TFLITE, ESTIMATE, ANSWER = (
    Path(__file__).with_name(f"{name}.md") for name in ("cli", "models", "tflite-files", "estimate", "answer")
)
BEGIN, END = "<!-- made by make docs -->\n", "<!-- end -->\n"
WIDTH = 100
HEAD = """# The command line

Made from `edgenet --help` by `make docs`; do not edit. Results go to stdout, progress to stderr;
`--json` prints one JSON document and nothing else.
"""


def command_line() -> str:
    """The whole page of the command line."""
    top = _context(cli, "edgenet", None)
    parts = [HEAD, _section("edgenet", top)]
    for name, command in sorted(cli.commands.items()):
        parts.append(_section(f"edgenet {name}", _context(command, name, top)))
    return "\n".join(parts)


def _with_table(page: Path, made: str) -> str:
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{made}{END}{rest.partition(END)[2]}"


def _tflite_operators() -> str:
    families = defaultdict(list)
    for code, writer in OPERATORS.items():
        families[writer.__module__.rpartition(".")[2]].append(code)
    return _table(
        [("family", "operators"), *((name, _names(codes)) for name, codes in sorted(families.items()))]
    )


def _keras_layers() -> str:
    rows = [("layers", "are")]
    for item in pkgutil.iter_modules(layers.__path__):
        module = importlib.import_module(f"{layers.__name__}.{item.name}")
        if module is not table and hasattr(module, "LAYERS"):
            about = str(module.__doc__).partition("\n")[0].rstrip(".")
            rows.append((_names(module.LAYERS), about[0].lower() + about[1:]))
    rows += [
        (_names(activation.CURVES), "functions in `activation`, of any layer"),
        (_names(table.OPERATIONS), "functions of `tf` and `keras.ops` between layers"),
        (_names(table.NOTHING), "left out: they give what they are given, when no training goes on"),
        (
            _names(table.AUGMENTATIONS),
            "left out, and `compile` says so: augmentation works in training alone",
        ),
    ]
    return _table(rows)


def _table(rows: Sequence[tuple[str, str]]) -> str:
    lines = [f"| {first} | {second} |" for first, second in rows]
    return "\n".join([lines[0], "|---|---|", *lines[1:]]) + "\n"


def _names(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in sorted(names))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    wide = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **{**command.context_settings, **wide})


def _section(title: str, context: click.Context) -> str:
    return f"## {title}\n\n```text\n{context.get_help().rstrip()}\n```\n"


def made() -> list[tuple[Path, str]]:
    """Every page, and what it should be."""
    return [
        (CLI, command_line()),
        (MODELS, _with_table(MODELS, _keras_layers())),
        (TFLITE, _with_table(TFLITE, _tflite_operators())),
        (ESTIMATE, _with_table(ESTIMATE, estimate_tables.how_far_off())),
        (ANSWER, _with_table(ANSWER, estimate_tables.answer())),
    ]


def main() -> int:
    """Write or check the pages."""
    wrong = 0
    for path, text in made():
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path.parent.name}/{path.name} is not what the code says: run make docs", file=sys.stderr)
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
