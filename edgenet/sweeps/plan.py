"""What is swept, as data: a file of ``profiles/sweeps/``, or what the command line says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgenet.board import Board, board_of
from edgenet.errors import LibraryError, PlanError
from edgenet.frame import Frame
from edgenet.library import Table, names, read_table
from edgenet.notebook import Shown
from edgenet.pages import page
from edgenet.protocol import Protocol
from edgenet.recipe import Recipe
from edgenet.steps.plan import PRECISIONS
from edgenet.steps.taken import protocol_of, several
from edgenet.sweeps.asked import file_of, folder_of, named
from edgenet.text import cause, near
from edgenet.zoo import EMBEDDED
from edgenet.zoo.named import FAMILIES

__all__ = ["SweepPlan"]

PLAN_KEYS = f"the keys of a plan are described in {page('sweep')}"
FRAME = Frame(640, 480)
MAGIC = frozenset("*?[")
MOST_THREADS = 1024


@dataclass(frozen=True)
class SweepPlan(Shown):
    """What is swept.

    Attributes:
        name: For people.
        files: Trained models, by path or name; empty where networks are swept.
        families: Families of untrained networks, of ``FAMILIES``.
        alphas, resolutions: Of them; empty for all that are published.
        precisions, backends: Builds; empty for each backend that the board has, in int8 and in float.
        recipe: How int8 is made; ``None`` for the default.
        threads: Of the runtime; 0 means every core.
        boards: Where it is timed.
        calibration, val: Images, as for ``edgenet compile`` and ``edgenet profile``.
        fps: The line.
        frame: The camera's frames.
        screen, long: Protocols of the short rounds and of the finalists' long run.
        rounds: Of the screening, before more are asked for where the line lies within the interval.
        brute: Whether every cell is timed.

    Examples:
        >>> plan = edgenet.SweepPlan().changed(files="signs", boards="local", val="signs", fps=30)
        >>> plan.files, plan.fps
        (('signs',), 30)
    """

    name: str = "sweep"
    files: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    alphas: tuple[float, ...] = ()
    resolutions: tuple[int, ...] = ()
    precisions: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    recipe: Recipe | str | None = None
    threads: tuple[int, ...] = (0,)
    boards: tuple[Board, ...] = ()
    calibration: str | None = None
    val: str | None = None
    fps: float = 24.0
    frame: Frame = FRAME
    screen: Protocol | str = "screening"
    long: Protocol | str = "real-time"
    rounds: int = 3
    brute: bool = False

    @classmethod
    def load(cls, name: Path | str) -> SweepPlan:
        """Read a plan by name or path; the paths in it are relative to its folder.

        Raises:
            LibraryError: There is none, a key is unknown, or a value is not what it should be.
        """
        table = read_table("sweep", name)
        _check_no_card(table)
        place = Path(name).parent if str(name).endswith(".toml") else Path()
        plan = cls(
            name=table.take("name", str),
            files=tuple(found for item in table.texts("files") for found in _expanded(item, place)),
            families=table.texts("families"),
            alphas=_numbers(table, "alphas", float),
            resolutions=_numbers(table, "resolutions", int),
            precisions=table.texts("precisions"),
            backends=table.texts("backends"),
            recipe=_of_library(table.take("recipe", str, None), place),
            threads=_numbers(table, "threads", int) or (0,),
            boards=tuple(_board(item) for item in _boards(table)),
            calibration=_located(table.take("calibration", str, None), place),
            val=_located(table.take("val", str, None), place),
            fps=_number(table.take("fps", (int, float), 24.0), table, "fps", float),
            frame=Frame.parse(table.take("frame", str, "640x480")),
            screen=_of_library(table.take("screen", str, cls.screen), place),
            long=_of_library(table.take("long", str, cls.long), place),
            rounds=table.take("rounds", int, cls.rounds),
            brute=table.take("all", bool, False),
        )
        table.take("summary", str, "")
        table.done(PLAN_KEYS)
        return plan

    def changed(self, **values: Any) -> SweepPlan:
        """A copy in which what is neither ``None`` nor empty stands in the plan's place.

        Args:
            values: By the names of the attributes. Of what is several, one may stand alone; files, images,
                recipe and protocols come by name, path or value, boards by their device, a frame as text.

        Raises:
            DataError: No such frame.
            PlanError: A model or images that no path leads to.
        """
        given = {key: value for key, value in values.items() if value not in (None, (), [])}
        return replace(
            self, **{key: _TAKEN[key](value) if key in _TAKEN else value for key, value in given.items()}
        )

    def checked(self) -> SweepPlan:
        """The same, with ``local`` where no board is named.

        Raises:
            PlanError: It cannot be swept, and why.
            LibraryError: There is no such protocol, or it measures no pipeline.
        """
        if bool(self.files) == bool(self.families):
            what = "trained models and untrained networks in one sweep" if self.files else "nothing to sweep"
            raise PlanError(
                f"{what}: measured accuracy and published accuracy are not comparable"
                if self.files
                else f"{what}: no model and no family of networks",
                "give model files, or families that you could train: v1, v2, v3-small, v3-large",
            )
        _known("family", self.families, FAMILIES)
        _known("precision", self.precisions, PRECISIONS)
        self._check_files()
        self._check_numbers()
        for name in (self.screen, self.long):
            if not (rules := protocol_of(name)).pipeline:
                raise LibraryError(
                    f"the protocol {rules.name} measures no pipeline, and real time is judged on it",
                    "choose one that does, such as real-time",
                )
        boards = self.boards or (Board("local"),)
        if len({board.device for board in boards}) < len(boards):
            raise PlanError("one board is named twice", "name each once")
        return replace(
            self,
            boards=boards,
            precisions=tuple(dict.fromkeys(self.precisions)),
            backends=tuple(dict.fromkeys(self.backends)),
            threads=tuple(dict.fromkeys(self.threads)),
        )

    def _check_files(self) -> None:
        for item in self.files:
            if item not in EMBEDDED and not Path(item).exists():
                plans = names("sweep")
                choice = f"families are {', '.join(FAMILIES)}; plans are {', '.join(plans)}, or a TOML file"
                raise PlanError(
                    f"{item} is no model file, no family of networks and no plan",
                    near(item, (*FAMILIES, *plans, *EMBEDDED)) or choice,
                )
        if self.files and (self.alphas or self.resolutions):
            raise PlanError(
                "files have their own width and resolution; alphas and resolutions are those of families",
                "leave them out, or sweep families",
            )

    def _check_numbers(self) -> None:
        for wrong, what in (
            (not 0 < self.fps < float("inf"), f"fps = {self.fps:g} is no line to keep"),
            (min(self.threads) < 0, f"threads = {min(self.threads)} are below 0"),
            (max(self.threads) > MOST_THREADS, f"more than {MOST_THREADS} threads"),
            (self.rounds < 2, f"rounds = {self.rounds} tell no interval: fewer than 2 rounds"),
        ):
            if wrong:
                raise PlanError(what, "correct the plan")

    def to_table(self) -> dict[str, Any]:
        """JSON-ready: what ``sweep.json`` keeps; names of files without their folders."""
        return {
            "name": self.name,
            "files": [Path(item).name for item in self.files],
            "families": list(self.families),
            "alphas": list(self.alphas),
            "resolutions": list(self.resolutions),
            "precisions": list(self.precisions),
            "backends": list(self.backends),
            "recipe": self.recipe.name if isinstance(self.recipe, Recipe) else self.recipe,
            "threads": list(self.threads),
            "boards": [board.device for board in self.boards],
            "screen": protocol_of(self.screen).to_table(),
            "long": protocol_of(self.long).to_table(),
            "rounds": self.rounds,
            "all": self.brute,
        }


_TAKEN: dict[str, Callable[[Any], Any]] = {
    "files": lambda value: tuple(map(file_of, several(value))),
    "boards": lambda value: tuple(map(board_of, several(value))),
    "calibration": folder_of,
    "val": folder_of,
    "frame": lambda value: Frame.parse(value) if isinstance(value, str) else value,
    **dict.fromkeys(("recipe", "screen", "long"), named),
    **dict.fromkeys(("families", "alphas", "resolutions", "precisions", "backends", "threads"), several),
}


def _expanded(item: str, place: Path) -> list[str]:
    """The path itself where there is one, else the files of a pattern."""
    path = place / item
    if not MAGIC.intersection(item) or path.exists():
        return [str(path if path.exists() else item)]
    base = Path(path.anchor) if path.is_absolute() else Path()
    try:
        found = sorted(str(match) for match in base.glob(str(path.relative_to(base))))
    except ValueError as error:
        raise LibraryError(f"files: {item!r} is no pattern ({cause(error)})", "correct it") from None
    if not found:
        raise LibraryError(f"no file is called {item}", "correct the pattern; it is relative to the plan")
    return found


def _located(item: str | None, place: Path) -> str | None:
    """A path of a plan from here; a name stays what it is."""
    if item is None or not (place / item).exists():
        return item
    return str(place / item)


def _of_library(item: Any, place: Path) -> Any:
    """A file of a plan from here; what has no suffix is a name, whatever lies beside the plan."""
    return _located(item, place) if item is not None and item.endswith(".toml") else item


def _check_no_card(table: Table) -> None:
    """Refuse the file that lies beside a model, which is easily given in its place."""
    if table.take("preprocessing", object, None) is not None:
        raise LibraryError(
            f"{table.where}: a model's card, not a plan", "give the model itself, its card is found beside it"
        )


def _number(value: Any, table: Table, key: str, kind: type) -> Any:
    try:
        return kind(value)
    except OverflowError:
        raise LibraryError(f"{table.where}: {key} holds a number that is too large", "correct it") from None


def _numbers(table: Table, key: str, kind: type) -> tuple[Any, ...]:
    values = table.take(key, list, [])
    wanted = (int, float) if kind is float else (int,)
    if not all(isinstance(value, wanted) and not isinstance(value, bool) for value in values):
        raise LibraryError(f"{table.where}: {key} is not a list of numbers", "write it as [1, 2]")
    return tuple(_number(value, table, key, kind) for value in values)


def _boards(table: Table) -> list[Table]:
    return [Table(item, f"{table.where}: boards") for item in _tables(table)]


def _tables(table: Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.take("boards", list, [])
    if not all(isinstance(item, dict) for item in found):
        raise LibraryError(
            f"{table.where}: boards are tables", 'write [[boards]] and device = "pi@raspberrypi"'
        )
    return found


def _board(table: Table) -> Board:
    board = Board(table.take("device", str), table.take("target", str, None))
    table.done(PLAN_KEYS)
    return board


def _known(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for item in given:
        if item not in known:
            raise PlanError(
                f"there is no {what} {item!r}", near(item, known) or f"choose one of {', '.join(known)}"
            )
