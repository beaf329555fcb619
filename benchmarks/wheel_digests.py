"""Write edgenet/devices/wheels.sha256: the digests of all wheels that pins.toml may become.

They come from the package index that pip is set to (PEP 691's JSON), over TLS, once, on a maintainer's
machine; from then on every wheel that edgenet sends to a board has to be one of these. Run it after pins.toml
changed and read the difference: a digest that changed for a name that stayed is an alarm.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgenet.devices.digests import FILE, digest_lines

FOLDER = Path(__file__).resolve().parent.parent / "edgenet" / "devices"
WHEEL = re.compile(
    r"(?P<name>.+?)-(?P<version>[^-]+)(?:-\d[^-]*)?-(?P<python>[^-]+)-[^-]+-(?P<platform>[^-]+)\.whl\Z"
)


def index() -> str:
    """The address of the package index that pip uses: as it is set, or pip's own default."""
    config, usage = (
        subprocess.run([sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=True)
        for words in (("config", "list"), ("download", "--help"))
    )
    set_to = dict(re.findall(r"^(\S+)\.index-url='(.+)'$", config.stdout, re.MULTILINE))
    default = re.search(r"\(default\s+(https://[^\s)]+)\)", usage.stdout)
    found = next((set_to[place] for place in (":env:", "site", "user", "global") if place in set_to), None)
    if found is None and default is None:
        sys.exit("pip names no index: set one with `pip config set global.index-url`")
    return (found or default[1]).rstrip("/")  # type: ignore[index]


def files(project: str) -> list[dict[str, Any]]:
    """What the index says of a project's files."""
    request = urllib.request.Request(
        f"{index()}/{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return list(json.load(reply)["files"])


def wanted() -> dict[str, set[tuple[str, str, str]]]:
    """Project → (version, Python tag, machine) of all pins."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for pins in tomllib.loads((FOLDER / "pins.toml").read_text(encoding="utf-8")).values():
        for pin in pins:
            for wheel in pin["wheels"]:
                project, _, version = wheel.partition("==")
                for python in pin["python"]:
                    tag = f"cp{python.replace('.', '')}"
                    found.setdefault(project, set()).update(
                        (version, tag, machine) for machine in pin["machines"]
                    )
    return found


def fitting(project: str, needs: set[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """(name, sha256) of the wheels that serve these needs."""
    for item in files(project):
        match = WHEEL.match(item["filename"])
        if match is None or ("manylinux" not in match["platform"] and match["platform"] != "any"):
            continue
        for version, tag, machine in needs:
            python = match["python"].split(".")
            fits = tag in python or "py3" in python
            on = match["platform"] == "any" or match["platform"].endswith(machine)
            if match["version"] == version and fits and on:
                yield item["filename"], item["hashes"]["sha256"]


def main() -> int:
    """Write the file; tells what changed for a name that stayed."""
    found = dict(pair for project, needs in wanted().items() for pair in fitting(project, needs))
    path = FOLDER / FILE
    before = (
        dict(reversed(line.split("  ")) for line in path.read_text("ascii").splitlines())
        if path.exists()
        else {}
    )
    changed = [name for name, digest in found.items() if before.get(name, digest) != digest]
    path.write_text(digest_lines(found), encoding="ascii")
    print(f"{len(found)} wheels in {path.name}")
    for name in changed:
        print(f"ALARM: {name} has another digest than before", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
