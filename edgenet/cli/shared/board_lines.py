"""What a board is, in about ten lines for people."""

from __future__ import annotations

from edgenet.devices.match import Match
from edgenet.facts import Facts

__all__ = ["board_cells", "board_lines"]

# Features of processors that decide how fast a network is, as people call them; others are left out.
FEATURES = {
    "neon": "NEON", "asimd": "NEON", "asimddp": "int8 dot products", "asimdhp": "half-precision arithmetic",
    "i8mm": "int8 matrix products", "bf16": "bfloat16", "sve": "SVE", "sve2": "SVE2", "sme": "SME",
    "avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "int8 dot products (VNNI)",
    "avx_vnni": "int8 dot products (VNNI)", "amx_int8": "int8 matrix products (AMX)",
}  # fmt: skip
NO_CAMERA = ("video", "rtsp", "http")
GB = 1e3


def board_lines(facts: Facts, found: Match) -> list[tuple[str, str]]:
    """Names and words; what the board does not tell says so.

    Args:
        facts: The board's.
        found: The target that it is, or is nearest to.
    """
    return [
        ("board", facts.board or (found.title if found.known else "not told")),
        ("processor", _processor(facts)),
        ("memory", _memory(facts)),
        ("system", _system(facts)),
        ("Python", _python(facts)),
        ("runtimes", _runtimes(facts)),
        ("camera", _camera(facts)),
        ("temperature", _temperature(facts)),
        ("free space", _space(facts)),
        ("target", str(found)),
    ]


def board_cells(facts: Facts, found: Match) -> dict[str, str]:
    """Heads of columns, and the most telling of these in few words, to stand below other boards'."""
    near = f"unknown, near {found.target}" if found.target else "unknown"
    bits = ", 32-bit" if facts.python_bits == 32 else ""
    return {
        "target": str(found.target) if found.known else near,
        "processor": f"{facts.cores} × {facts.cpu or facts.machine or 'unknown'}",
        "system": facts.os or facts.system or "not told",
        "Python": f"{facts.python or 'not told'}{bits}",
        "runtimes": ", ".join(facts.runtimes) or "–",
        "temperature": "–" if facts.temperature_c is None else f"{facts.temperature_c:.0f} °C",
        "free space": _space(facts),
    }


def _processor(facts: Facts) -> str:
    clock = f" at up to {facts.clock_max_mhz} MHz" if facts.clock_max_mhz else ""
    known = list(dict.fromkeys(FEATURES[name] for name in facts.isa if name in FEATURES))
    core = facts.cpu or facts.machine or "unknown cores"
    parts = [f"{facts.cores} × {core}{clock}", *([facts.machine] if facts.cpu and facts.machine else [])]
    return "; ".join([", ".join(parts), *([", ".join(known)] if known else [])])


def _memory(facts: Facts) -> str:
    if facts.memory_mb is None:
        return "not told"
    parts = [f"{facts.memory_mb / GB:.1f} GB"]
    if facts.memory_available_mb is not None:
        parts.append(f"{facts.memory_available_mb / GB:.1f} GB available")
    if facts.swap_mb is not None:
        parts.append(f"{facts.swap_mb / GB:.1f} GB swap" if facts.swap_mb else "no swap")
    return ", ".join(parts)


def _system(facts: Facts) -> str:
    parts = [
        facts.os or facts.system or "not told",
        f"kernel {facts.kernel}" if facts.kernel else "",
        f"glibc {facts.glibc}" if facts.glibc else "no glibc",
        f"JetPack {facts.jetpack}" if facts.jetpack else "",
        f"CUDA {facts.cuda}" if facts.cuda else "",
        f"TensorRT {facts.tensorrt}" if facts.tensorrt else "",
        f"power mode {facts.power_mode}" if facts.power_mode else "",
        "EMULATED" if facts.emulated else "",
    ]
    return ", ".join(filter(None, parts))


def _python(facts: Facts) -> str:
    bits = f", {facts.python_bits}-bit" if facts.python_bits else ""
    return f"{facts.python or 'not told'}{bits}, {facts.python_executable or 'path not told'}"


def _runtimes(facts: Facts) -> str:
    own = [f"{name} {_version(name, version)}" for name, version in facts.runtimes.items()]
    broken = [f"{name} cannot be used ({why})" for name, why in facts.runtimes_broken.items()]
    return "; ".join([", ".join(own) or "none of its own; edgenet deploy sends one", *broken])


def _version(name: str, version: str) -> str:
    """Without the runtime's own name, where that is the backend's."""
    return version.removeprefix(f"{name} ")


def _camera(facts: Facts) -> str:
    found = [name for name in facts.sources if name not in NO_CAMERA]
    if not found:
        return "none found"
    return f"{', '.join(found)} ({'; '.join(facts.cameras)})" if facts.cameras else ", ".join(found)


def _temperature(facts: Facts) -> str:
    degrees = facts.temperature_c
    now = f"{degrees:.0f} °C" if degrees is not None else f"not told: {_why(facts, 'temperature_c')}"
    if facts.throttled_now:
        return f"{now}; throttled now: {', '.join(facts.throttled_now)}"
    if facts.throttled_since_boot:
        return f"{now}; {', '.join(facts.throttled_since_boot)}"
    return f"{now}, not throttled" if facts.throttled_now is not None else now


def _space(facts: Facts) -> str:
    if facts.disk_free_mb is None:
        return "not told"
    barred = "; mounted noexec, no library loads from there" if facts.noexec else ""
    return f"{facts.disk_free_mb / GB:.1f} GB{barred}"


def _why(facts: Facts, name: str) -> str:
    return facts.absent.get(name, "no reason given")
