"""What a user waits for before anything happens, and what a board is sent before it can answer.

python benchmarks/startup.py [RUNS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from edgenet.devices.archive import MAX_DEMO, MAX_SIZE, agent_archive, demo_archive, part_archives

RUNS = 21
GOAL_MS = 150.0
BARE = [sys.executable, "-c", "pass"]
HELP = [str(Path(sys.executable).with_name("edgenet")), "--help"]


def wall_ms(command: list[str]) -> float:
    """Wall time of one run, ms."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return 1e3 * (time.perf_counter() - start)


def main() -> None:
    """Interleave the two commands, so that both see the same machine."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    wall_ms(BARE), wall_ms(HELP)
    pairs = [(wall_ms(BARE), wall_ms(HELP)) for _ in range(runs)]
    bare, full = (statistics.median(column) for column in zip(*pairs, strict=True))
    more = statistics.median(b - a for a, b in pairs)
    parts = {".pyz": agent_archive(), **part_archives(), "demo": demo_archive()}
    print(f"startup, medians of {runs} interleaved runs")
    print(f"  python -c pass          {bare:8.1f} ms")
    print(f"  edgenet --help          {full:8.1f} ms")
    print(f"  ratio                   {full / bare:8.2f}")
    print(f"  difference              {more:8.1f} ms   goal <= {GOAL_MS:.0f}: {verdict(more <= GOAL_MS)}")
    print("agent")
    for name, part in parts.items():
        size, most = len(part.data), MAX_DEMO if name == "demo" else MAX_SIZE
        print(f"  {name:23} {size:8d} B    goal <= {most}: {verdict(size <= most)}")


def verdict(kept: bool) -> str:
    """A goal's state in words."""
    return "kept" if kept else "MISSED"


if __name__ == "__main__":
    main()
