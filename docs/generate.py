"""Write docs/cli.md from what ``--help`` says.

python docs/generate.py             writes the page
python docs/generate.py --check     exit 1 if the page is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgenet.cli.main import cli

PAGE = Path(__file__).with_name("cli.md")
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


def main() -> int:
    """Write or check the page."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.parent.name}/{PAGE.name} is not what --help says: run make docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
