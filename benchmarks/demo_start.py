"""Seconds from the command ``edgenet demo`` to its page's address, and to the first picture behind it."""

from __future__ import annotations

import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

RUNS = 5
GOAL_S = 3.0
METRICS = re.compile(r"(http://127\.0\.0\.1:\d+)/metrics .*Bearer ([\w-]+)")


def start_s(task: str) -> tuple[float, float]:
    """One start: until the address is printed, and until an answered picture can be fetched."""
    command = [sys.executable, "-m", "edgenet", "demo", "--task", task]
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process,
    ):
        assert process.stderr is not None
        found = next(match for line in process.stderr if (match := METRICS.search(line.decode())))
        printed = time.perf_counter() - began
        while not picture(found[1], found[2]):
            time.sleep(0.01)
        shown = time.perf_counter() - began
        process.send_signal(signal.SIGINT)
        process.communicate()
    return printed, shown


def picture(base: str, key: str) -> bytes:
    """The newest answered picture; nothing before there is one."""
    request = urllib.request.Request(f"{base}/frame", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError:
        return b""


def main() -> None:
    """The cache is warm after the first start, which is not counted."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"edgenet demo, warm cache, medians of {runs} starts")
    for task in ("classification", "detection"):
        start_s(task)
        times = [start_s(task) for _ in range(runs)]
        printed, shown = (statistics.median(column) for column in zip(*times, strict=True))
        verdict = "kept" if shown <= GOAL_S else "MISSED"
        told = f"address {printed:5.2f} s   picture {shown:5.2f} s"
        print(f"  {task:15} {told}   goal <= {GOAL_S:.0f} s: {verdict}")


if __name__ == "__main__":
    main()
