"""The page of messages: what it quotes is what the code says, and what the code links to is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from edgenet.devices.sshfailures import diagnose
from tests.house.test_pages import anchors, calls
from tests.house.tree import PACKAGE, ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
LINKS = re.compile(r"troubleshooting/#([\w-]+)")


def said() -> Iterator[str]:
    """Every string of the package; an f-string with … in place of its values."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                yield "".join(str(part) for part in parts)


def quoted() -> list[str]:
    """The messages of the page, a line each."""
    blocks = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


def test_every_message_that_the_page_quotes_is_one() -> None:
    strings = [re.sub(r"\{\w*\}", "…", text) for text in said()]
    lines = quoted()
    assert len(lines) >= 20
    parts = {line: [part.strip() for part in line.split("…") if len(part.strip()) > 3] for line in lines}
    assert all(parts.values())
    assert not [
        line for line in lines if not any(all(part in text for part in parts[line]) for text in strings)
    ]


def test_at_least_the_frequent_ones_link_there() -> None:
    named = {section for path in PACKAGE.rglob("*.py") for name, section in calls(path) if name == PAGE.stem}
    assert "" not in named, "a message links to its own section"
    assert len(named) >= 8
    assert named <= anchors(PAGE)


def test_an_unknown_host_key_leads_to_its_section() -> None:
    error = diagnose("pi@board", "Host key verification failed.\r\n", 255, "")
    (section,) = LINKS.findall(error.remedy)
    assert section in anchors(PAGE)
