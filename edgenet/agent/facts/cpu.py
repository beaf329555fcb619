"""The processor, from /proc/cpuinfo and cpufreq."""

import platform
from typing import Any, Dict

from . import files

# Of /proc/cpuinfo's Features (Arm) and flags (x86), those that decide which kernels run.
ISA = ("neon", "asimd", "asimddp", "asimdhp", "fphp", "atomics", "i8mm", "bf16", "sve", "sve2", "sme") + (
    "sse4_1",
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "amx_int8",
)
# "CPU implementer" and "CPU part": Arm's, NVIDIA's (and Qualcomm's and Apple's laptops') core designs.
_CORES = {
    "0x41 0xb76": "ARM1176",
    "0x41 0xc07": "Cortex-A7",
    "0x41 0xd03": "Cortex-A53",
    "0x41 0xd04": "Cortex-A35",
    "0x41 0xd05": "Cortex-A55",
    "0x41 0xd07": "Cortex-A57",
    "0x41 0xd08": "Cortex-A72",
    "0x41 0xd09": "Cortex-A73",
    "0x41 0xd0a": "Cortex-A75",
    "0x41 0xd0b": "Cortex-A76",
    "0x41 0xd0c": "Neoverse-N1",
    "0x41 0xd40": "Neoverse-V1",
    "0x41 0xd41": "Cortex-A78",
    "0x41 0xd42": "Cortex-A78AE",
    "0x41 0xd49": "Neoverse-N2",
    "0x41 0xd4f": "Neoverse-V2",
    "0x41 0xd83": "Neoverse-V3AE",
    "0x41 0xd84": "Neoverse-V3",
    "0x4e 0x003": "Denver 2",
    "0x4e 0x004": "Carmel",
}


def facts(root):
    """``cpu`` (design or model), ``cpu_parts``, ``clusters``, ``isa``, ``clock_min_mhz``, ``clock_max_mhz``.

    Unknown is ``None`` or empty.
    """
    entries = _entries(root)
    first = entries[0] if entries else {}
    parts = []
    for entry in entries:
        part = "{} {}".format(entry.get("CPU implementer"), entry.get("CPU part"))
        if "CPU part" in entry and part not in parts:
            parts.append(part)
    names = [_CORES.get(part, "part " + part) for part in parts]
    words = set((first.get("Features") or first.get("flags") or "").split())
    return {
        "cpu": " + ".join(names) or first.get("model name") or platform.processor() or None,
        "cpu_parts": parts,
        "clusters": clusters(root, entries),
        "isa": [name for name in ISA if name in words],
        "clock_min_mhz": _clock(root, "cpuinfo_min_freq", min),
        "clock_max_mhz": _clock(root, "cpuinfo_max_freq", max),
    }


def clusters(root, entries):
    """Cores of one kind together, the strongest kind first: ``cores``, ``cpu``, ``capacity``, ``max_mhz``.

    A kind is a core design and ``cpu_capacity``, in which the kernel compares cores (1024: the strongest;
    Linux, Documentation/scheduler/sched-capacity.rst), ``None`` where it does not tell. Empty where the cores
    are not listed.
    """
    kinds: Dict[Any, Dict[str, Any]] = {}
    for entry in entries:
        core = entry.get("processor", "")
        if not core.isdigit():
            continue
        folder = "sys/devices/system/cpu/cpu" + core
        part = "{} {}".format(entry.get("CPU implementer"), entry.get("CPU part"))
        name = _CORES.get(part, "part " + part) if "CPU part" in entry else entry.get("model name")
        capacity = _number(root, folder, "cpu_capacity")
        clock = _number(root, folder, "cpufreq/cpuinfo_max_freq") // 1000
        kind = kinds.setdefault((name, capacity), {"cores": [], "max_mhz": 0})
        kind["cores"].append(int(core))
        kind["max_mhz"] = max(kind["max_mhz"], clock)
    found = [
        {
            "cores": kind["cores"],
            "cpu": name,
            "capacity": capacity or None,
            "max_mhz": kind["max_mhz"] or None,
        }
        for (name, capacity), kind in kinds.items()
    ]
    return sorted(found, key=lambda kind: (-(kind["capacity"] or 0), -(kind["max_mhz"] or 0)))


def _number(*names):
    value = files.text_or_none(*names) or ""
    return int(value) if value.isdigit() else 0


def _entries(root):
    """One dict a core; what stands once for all of them is in each."""
    blocks = (files.text_or_none(root, "proc/cpuinfo") or "").split("\n\n")
    entries = []
    for block in blocks:
        pairs = [line.partition(":") for line in block.split("\n")]
        entry = {key.strip(): value.strip() for key, _, value in pairs if key.strip()}
        if entry:
            entries.append(entry)
    return entries


def _clock(root, name, choose):
    clocks = []
    for path in files.find(root, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/" + name):
        value = files.text_or_none(path)
        if value and value.isdigit():
            clocks.append(int(value) // 1000)
    return choose(clocks) if clocks else None
