"""Temperature, clocks, governor, throttling, power and load: what says whether a measurement can be believed.

A value that cannot be read is absent from the reading and named in ``absent`` with the reason.
"""

import os
import re
import time
from typing import Any, Dict

from .. import child
from . import files, power

# A reading of exactly 100 degrees from this zone is a placeholder on Jetson Nano.
_SKIPPED_ZONES = ("PMIC-Die", "PMIC")
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_THROTTLE_BITS = (
    (0, "under-voltage"),
    (1, "frequency capped"),
    (2, "throttled"),
    (3, "soft temperature limit"),
    (16, "under-voltage since boot"),
    (17, "frequency capped since boot"),
    (18, "throttled since boot"),
    (19, "soft temperature limit since boot"),
)


def read(root="/", run=child.output):
    """One reading of all sensors.

    Args:
        root: Where ``proc`` and ``sys`` lie; tests give a recorded tree.
        run: Runs a command (a list) and returns what it printed.

    Returns:
        A flat dict: ``time_s`` (monotonic), ``temperature_c`` (highest zone), ``governor``,
        ``cpu_mhz`` (one per core), ``throttled`` (bits), ``throttled_now`` (names), ``throttle_events``
        (a Jetson's count since boot), ``power_w``, ``power_source``, ``rails_w``, ``load_1m``,
        ``memory_available_mb``, ``absent`` ({name: reason}).
    """
    reading: Dict[str, Any] = {"time_s": round(time.perf_counter(), 3)}
    absent = {}
    for name, source in (
        ("temperature_c", temperature),
        ("governor", governor),
        ("cpu_mhz", cpu_mhz),
        ("throttled", lambda root: throttled(root, run)),
        ("power_w", lambda root: power.read(root, run)),
        ("load_1m", load),
        ("memory_available_mb", memory_available),
    ):
        try:
            reading[name] = source(root)
        except (OSError, ValueError, IndexError) as error:
            absent[name] = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if "throttled" in reading:
        reading["throttled_now"] = throttle_names(reading["throttled"] & 0xF)
    if "power_w" in reading:
        reading["power_w"], reading["power_source"], reading["rails_w"] = reading["power_w"]
    events = throttle_events(root)
    if events is not None:
        reading["throttle_events"] = events
        absent.pop("throttled", None)
    reading["absent"] = absent
    return reading


def temperature(root):
    """The highest thermal zone, degrees Celsius."""
    found = []
    for zone in files.find(root, "sys/class/thermal/thermal_zone*"):
        try:
            if files.text(zone, "type") in _SKIPPED_ZONES:
                continue
            found.append(int(files.text(zone, "temp")) / 1e3)
        except (OSError, ValueError):
            continue
    if not found:
        raise ValueError("no thermal zone can be read")
    return max(found)


def governor(root):
    """The CPU frequency governor; several names where the cores differ."""
    found = {files.text(path) for path in _cpufreq(root, "scaling_governor")}
    return " ".join(sorted(found))


def cpu_mhz(root):
    """The current clock of each core, MHz."""
    return [int(files.text(path)) // 1000 for path in _cpufreq(root, "scaling_cur_freq")]


def throttled(root, run):
    """The Raspberry Pi firmware's throttling bits, from sysfs, else from ``vcgencmd``."""
    if os.path.exists(os.path.join(root, _THROTTLED)):
        return int(files.text(root, _THROTTLED), 16)
    if not files.program(root, "vcgencmd"):
        raise ValueError("this board has no get_throttled")
    said = run(["vcgencmd", "get_throttled"])
    found = re.search(r"throttled=(0x[0-9a-fA-F]+)", said)
    if not found:
        raise ValueError("vcgencmd get_throttled: {}".format(" ".join(said.split())[:100] or "said nothing"))
    return int(found.group(1), 16)


def throttle_events(root):
    """How often a Jetson's over-current protection slowed it since boot; ``None`` where nothing counts."""
    counts = []
    for path in files.find(root, "sys/class/hwmon/hwmon*/oc*_event_cnt"):
        value = files.text_or_none(path)
        if value and value.isdigit():
            counts.append(int(value))
    return sum(counts) if counts else None


def compare(before, after):
    """Name the throttling that only a count tells: in ``after``, where it rose since ``before``."""
    if after.get("throttle_events", 0) > before.get("throttle_events", 0):
        after["throttled_now"] = ["throttled"]


def load(root):
    """The load average of the last minute."""
    return float(files.text(root, "proc/loadavg").split()[0])


def other_cpu_s(root="/"):
    """Processor seconds, over all cores, that all but this process have used since boot.

    ``None`` where that is not told. /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal,
    in ticks of the clock (proc(5)); idle and iowait are not work, steal is what other guests took.
    """
    try:
        ticks = [int(word) for word in files.text(root, "proc/stat").split("\n")[0].split()[1:9]]
        own = os.times()
        busy = sum(ticks[:3]) + sum(ticks[5:8])
        return busy / float(os.sysconf("SC_CLK_TCK")) - own.user - own.system
    except (OSError, ValueError, AttributeError):
        return None


def memory_available(root):
    """What programs can still take, MB of 1e6 bytes."""
    words = files.fields(root, "proc/meminfo").get("MemAvailable", "").split()
    if not words:
        raise ValueError("not in /proc/meminfo")
    return round(int(words[0]) * 1024 / 1e6, 1)


def throttle_names(bits):
    """Names of the throttling bits that are set."""
    return [name for bit, name in _THROTTLE_BITS if bits >> bit & 1]


def _cpufreq(root, name):
    paths = files.find(root, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/" + name)
    if not paths:
        raise ValueError("no cpufreq")
    return sorted(paths, key=lambda path: int(path.split("/cpufreq")[0].rpartition("cpu")[2]))
