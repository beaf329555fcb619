"""Write docs/cli.md from what ``--help`` says, and the operators in docs/tflite-files.md from the code.

python docs/generate.py             writes the pages
python docs/generate.py --check     exit 1 if a page is not what would be written
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import click

from edgenet.cli.main import cli
from edgenet.importers.tflite_file.operators.table import OPERATORS

PAGE = Path(__file__).with_name("cli.md")
TFLITE = Path(__file__).with_name("tflite-files.md")
BEGIN, END = "<!-- operators -->\n", "<!-- end -->"
WIDTH = 100
HEAD = """# The command line

Made from `edgenet --help` by `make docs`; do not edit. Results go to stdout, progress to stderr;
`--json` prints one JSON document and nothing else.
"""


def page() -> str:
    """The whole page."""
    top = _context(cli, "edgenet", None)
    parts = [HEAD, _section("edgenet", top)]
    for name, command in sorted(cli.commands.items()):
        parts.append(_section(f"edgenet {name}", _context(command, name, top)))
    return "\n".join(parts)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    wide = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **{**command.context_settings, **wide})


def _section(title: str, context: click.Context) -> str:
    return f"## {title}\n\n```text\n{context.get_help().rstrip()}\n```\n"


def tflite_page() -> str:
    """The page about TFLite files, with the operators that are read."""
    families = defaultdict(list)
    for code, writer in OPERATORS.items():
        families[writer.__module__.rpartition(".")[2]].append(code)
    rows = [
        f"| {name} | {', '.join(f'`{code}`' for code in sorted(families[name]))} |"
        for name in sorted(families)
    ]
    before, _, rest = TFLITE.read_text(encoding="utf-8").partition(BEGIN)
    return "\n".join(
        [f"{before}{BEGIN}| family | operators |", "|---|---|", *rows, END + rest.partition(END)[2]]
    )


def main() -> int:
    """Write or check the pages."""
    pages = {PAGE: page(), TFLITE: tflite_page()}
    if "--check" not in sys.argv[1:]:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [
        path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(f"{path.parent.name}/{path.name} is not what the code says: run make docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
