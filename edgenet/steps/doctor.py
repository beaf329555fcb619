"""The preflight: everything that must hold on a board, each with what was found and what to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from edgenet.backend import backend_names, load_backend
from edgenet.board import Board, BoardLike, board_of
from edgenet.devices.agent import Agent
from edgenet.devices.answers import Trial
from edgenet.devices.candidates import candidates, fits
from edgenet.devices.connect import connect
from edgenet.devices.homes import ELSEWHERE
from edgenet.devices.index import own_index
from edgenet.devices.pins import Pin
from edgenet.devices.runtimes import NOEXEC_REMEDY
from edgenet.errors import EXIT_DONE, EXIT_FAILED, EXIT_UNREACHABLE, ConnectionFailed, DeviceError
from edgenet.facts import Facts
from edgenet.notebook import Grid, Shown
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events
from edgenet.steps.kind import board_kind
from edgenet.steps.probe import board_target
from edgenet.target import Target

__all__ = ["Condition", "Examination", "doctor", "examine"]

# A runtime's wheels and their unpacked files together, and all else that a deployment needs, MB of 1e6 bytes.
RUNTIME_MB = 250
DEPLOYMENT_MB = 20
# What the agent, a runtime and a MobileNet take; 76 MB were seen for ONNX Runtime with a V1 0.25.
MEMORY_MB = 150
# Firmware and kernels begin to slow a board down at 80 to 85 degrees Celsius.
WARM_C, HOT_C = 70.0, 80.0
CLOCK_S = 300.0
ABSENT = "not applicable"
WIDE = ("aarch64", "x86_64")


@dataclass(frozen=True)
class Condition(Shown):
    """One line of the preflight.

    Attributes:
        name: What is looked at.
        state: "ok", "not", "unknown" or "not applicable" (what this board has no need to have).
        found: What the board says.
        remedy: What to do where it is not ok; a hint where it is.
    """

    name: str
    state: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Examination(Shown):
    """All conditions of one board.

    Attributes:
        device: The board, as the user wrote it.
        conditions: In the order in which they were looked at.
        reached: Whether the board answered.
    """

    device: str
    conditions: tuple[Condition, ...]
    reached: bool = True

    def __repr__(self) -> str:
        wrong = [item.name for item in self.conditions if item.state == "not"]
        return f"<Examination of {self.device}: {', '.join(wrong) or 'nothing'} wrong>"

    def _title(self) -> str:
        return f"doctor {self.device}"

    def _rows(self) -> Mapping[str, Any]:
        return {} if self.reached else {"reached": "no"}

    def _grids(self) -> Sequence[Grid]:
        rows = [[item.name, item.state, item.found, item.remedy] for item in self.conditions]
        return (Grid(("condition", "state", "found", "what to do"), rows),)

    @property
    def exit_code(self) -> int:
        """0 nothing is wrong, 1 something is not, 3 the board was not reached."""
        if not self.reached:
            return EXIT_UNREACHABLE
        return EXIT_FAILED if any(item.state == "not" for item in self.conditions) else EXIT_DONE

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def doctor(
    device: BoardLike = "local", backend: str | None = None, progress: Progress = silent
) -> Examination:
    """Look at a board without changing it; one that cannot be reached is a result, not an error.

    Args:
        device: A board; "local", ``user@host[:port]`` or an alias of the user's ssh config.
        backend: The backend that shall run there; all that this edgenet builds for its target if ``None``.
        progress: Called where the board takes its time.

    Raises:
        ConnectionLost: It was reached and then went away or fell silent.

    Examples:
        >>> found = edgenet.doctor("local")
        >>> found.reached, found.conditions[0].state
        (True, 'ok')
    """
    board = board_of(device)
    try:
        with connect(board, board_events(progress)) as agent:
            facts, now = _asked(agent, [backend] if backend else backend_names())
            backends = (
                (backend,) if backend else _backends(board.target or board_target(facts, board.device).target)
            )
            trials = {name: _try(agent, name) for name in backends if facts.writable is not False}
    except ConnectionFailed as error:
        reach = Condition("reach", "not", error.what, error.remedy)
        return Examination(str(board), (reach,), reached=False)
    conditions = examine(facts, backends, trials, now, board.device, bool(backend))
    return Examination(str(board), tuple(_stated(item, facts, board) for item in conditions))


def _stated(item: Condition, facts: Facts, board: Board) -> Condition:
    """What a board is must be what its user says of it, where he says it."""
    if item.name != "board" or board.target is None:
        return item
    try:
        found = board_kind(facts, board)
    except DeviceError as error:
        return Condition("board", "not", error.what, error.remedy)
    return item if found is None or found.title in item.found else Condition("board", "ok", found.title)


def _asked(agent: Agent, backends: Sequence[str]) -> tuple[Facts, float]:
    """The facts; and the time here, of all in which the board may have read its clock the nearest to it.

    The clock is asked for alone: trying runtimes takes a slow board half a minute.
    """
    before = time.time()
    first = agent.facts()
    clock = first.clock_s
    after = time.time()
    now = min(max(clock, before), after) if clock is not None else after
    if first.writable is False:  # what trying runtimes takes could not be sent
        return first, now
    return agent.facts(backends).changed(clock_s=clock), now


def _backends(target: str | None) -> tuple[str, ...]:
    """What a target lists and this edgenet has; all it has where there is no target."""
    listed = Target.load(target).backends if target else {}
    return tuple(name for name in backend_names() if name in listed or not listed)


def _try(agent: Agent, backend: str) -> Trial | None:
    """Import the runtime that a deployment of this backend brought; ``None`` where none did."""
    digests = [item.runtime for item in agent.deployments().deployments if item.backend == backend]
    here = [digest for digest in agent.runtimes().runtimes if digest in digests]
    return agent.try_runtime(backend, here[0]) if here else None


def examine(
    facts: Facts,
    backends: Sequence[str],
    trials: Mapping[str, Trial | None],
    now: float,
    device: str = "",
    asked: bool = False,
) -> list[Condition]:
    """The conditions of a board that answered; a pure function.

    Args:
        facts: The board's.
        backends: Those that shall run there.
        trials: Per backend, what importing the runtime gave that is on the board already.
        now: This machine's clock, Unix seconds.
        device: What the user wrote.
        asked: Whether the user named the backend: then a board to which it does not apply lacks it.
    """
    found = [Condition("reach", "ok", "the agent runs there"), _board(facts, device)]
    found += [check(facts) for check in _CHECKS]
    found += [_bits(facts, backends), _clock(facts, now), _disk(facts, backends)]
    able = any(name in facts.runtimes or fits(name, facts) for name in backends)
    found += [_runtime(facts, backend, trials.get(backend), able) for backend in backends]
    return [replace(item, state="not") if asked and item.state == ABSENT else item for item in found]


def _board(facts: Facts, device: str) -> Condition:
    found = board_target(facts, device)
    if facts.emulated:
        return Condition("board", "ok", f"{found}, emulated: its answers count, its speed does not")
    if found.known:
        return Condition("board", "ok", str(found))
    return Condition("board", "unknown", str(found), "save its facts: edgenet probe --save my-board.toml")


def _shell(facts: Facts) -> Condition:
    return Condition("login shell", "ok", f"{facts.shell or 'not named'}; it started sh")


def _python(facts: Facts) -> Condition:
    said = f"{facts.python_implementation} {facts.python}, {facts.python_executable}"
    if facts.python_implementation == "cpython":
        return Condition("Python", "ok", said)
    return Condition("Python", "not", said, "install CPython there and name it in EDGENET_PYTHON")


def _bits(facts: Facts, backends: Sequence[str]) -> Condition:
    """A 32-bit Python is no fault where a runtime is made for it, whatever the kernel is."""
    said = f"{facts.python_bits}-bit Python on {facts.machine}"
    if facts.python_bits == 64:
        return Condition("64 bit", "ok", said)
    system = "a 64-bit kernel with 32-bit programs" if facts.machine in WIDE else "a 32-bit system"
    here = [name for name in backends if name in facts.runtimes or fits(name, facts)]
    if here:
        found = f"no, and none is needed for {' and '.join(here)}: {said}, {system}"
        return Condition("64 bit", "ok", found, "a 64-bit system has more runtimes")
    return Condition("64 bit", "not", f"{said}, {system}", "install the 64-bit system: it has runtimes")


def _folder(facts: Facts) -> Condition:
    if facts.writable is False:
        return Condition("folder", "not", "it can be read, but not written", ELSEWHERE)
    if facts.noexec is None:
        return Condition("folder", "unknown", "writable; whether libraries load from it is not known")
    if facts.noexec:
        return Condition(
            "folder", "not", "writable, but mounted noexec: no library loads from it", NOEXEC_REMEDY
        )
    return Condition("folder", "ok", "writable, libraries load from it")


def _memory(facts: Facts) -> Condition:
    free, swap = facts.memory_available_mb, facts.swap_mb or 0
    if free is None:
        return Condition("memory", "unknown", "not readable")
    said = f"{free:.0f} MB available of {facts.memory_mb or 0:.0f}, {swap:.0f} MB swap"
    if free >= MEMORY_MB:
        return Condition("memory", "ok", said)
    return Condition(
        "memory", "not", said, f"close programs: a runtime and a model take about {MEMORY_MB} MB"
    )


def _throttling(facts: Facts) -> Condition:
    now, before = facts.throttled_now, facts.throttled_since_boot
    if now is None and facts.throttle_events is not None:
        return Condition("throttling", "ok", f"{facts.throttle_events} over-current events since boot")
    if now is None:
        return Condition("throttling", "unknown", _why(facts, "throttled"))
    if not now and not before:
        return Condition("throttling", "ok", "none since boot")
    names = [*now, *(before or [])]
    power = any("under-voltage" in name for name in names)
    remedy = "use the board's own power supply and a short cable" if power else "cool the board"
    return Condition("throttling", "not", ", ".join(names), f"{remedy}, then restart it")


def _governor(facts: Facts) -> Condition:
    name = facts.governor
    if name is None:
        return Condition("governor", "unknown", _why(facts, "governor"))
    if "powersave" in name:
        remedy = (
            "set another: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        )
        return Condition("governor", "not", f"{name}: the lowest clock", remedy)
    hint = "" if name == "performance" else "performance gives the steadiest figures"
    return Condition("governor", "ok", str(name), hint)


def _temperature(facts: Facts) -> Condition:
    heat = facts.temperature_c
    if heat is None:
        return Condition("temperature", "unknown", _why(facts, "temperature_c"))
    said = f"{heat:.1f} °C"
    if heat >= HOT_C:
        return Condition("temperature", "not", said, "cool the board before measuring")
    return Condition("temperature", "ok", said, "a fan or heat sink helps" if heat >= WARM_C else "")


_CHECKS: tuple[Callable[[Facts], Condition], ...] = (
    _shell,
    _python,
    _folder,
    _memory,
    _throttling,
    _governor,
    _temperature,
)


def _clock(facts: Facts, now: float) -> Condition:
    if facts.clock_s is None:
        return Condition("clock", "unknown", "not told")
    skew = facts.clock_s - now
    if abs(skew) <= CLOCK_S:
        return Condition("clock", "ok", f"within {max(abs(skew), 1):.0f} s of this machine's")
    days = abs(skew) / 86400
    said = f"{days:.0f} days" if days >= 2 else f"{abs(skew) / 60:.0f} minutes"
    remedy = "let it set its clock: sudo timedatectl set-ntp true (edgenet itself works with any clock)"
    return Condition("clock", "not", f"{said} {'ahead' if skew > 0 else 'behind'}", remedy)


def _disk(facts: Facts, backends: Sequence[str]) -> Condition:
    free, own = facts.disk_free_mb, facts.runtimes
    if free is None:
        return Condition("disk", "unknown", "not readable")
    need = DEPLOYMENT_MB + RUNTIME_MB * sum(name not in own and load_backend(name).sent for name in backends)
    if free >= need:
        return Condition("disk", "ok", f"{free:.0f} MB free, up to {need} MB needed")
    remedy = f"free some space there, or {ELSEWHERE}, on a larger disk"
    return Condition("disk", "not", f"{free:.0f} MB free, up to {need} MB needed", remedy)


def _runtime(facts: Facts, backend: str, trial: Trial | None, able: bool) -> Condition:
    """Whether a runtime can run there; one that is made for no such board is no fault where another is."""
    name = f"runtime {backend}"
    if (told := load_backend(backend).examine(facts)) is not None:
        return Condition(name, *told)
    own, broken = facts.runtimes, facts.runtimes_broken
    if backend in own:
        return Condition(name, "ok", f"the board's own {own[backend]}", _decoding(facts))
    if trial is not None and trial.works:
        return Condition(name, "ok", f"{trial.version}, sent before, imports")
    try:
        pins = candidates(backend, facts, own_index())
    except DeviceError as error:
        state = ABSENT if able and not fits(backend, facts) else "not"
        return Condition(name, state, error.what, error.remedy)
    said = _sent(pins[0], facts) + "".join(f"; else {pin.name}" for pin in pins[1:])
    if backend in broken:
        said += f"; the board's own does not import: {broken[backend]}"
    if trial is not None:
        return Condition(name, "not", f"the one sent before does not import: {trial.why}", "deploy again")
    return Condition(name, "ok", said)


def _sent(pin: Pin, facts: Facts) -> str:
    """What would be sent, and whence comes what else it imports."""
    said = f"{pin.name} would be sent"
    if pin.lacking:
        index = own_index()
        where = f"from {index.shown}" if index else "as an index gave it before"
        return f"{said}, with {' and '.join(need.text for need in pin.lacking)} {where}"
    own = [f"{need.project} {facts.packages[need.project]}".strip() for need in pin.needs]
    return f"{said}; it uses the board's own {' and '.join(own)}" if own else said


def _decoding(facts: Facts) -> str:
    if "jpeg" in facts.decodes:
        return ""
    return "without Pillow there the host decodes the images: apt install python3-pil"


def _why(facts: Facts, name: str) -> str:
    return facts.absent.get(name) or "not readable"
