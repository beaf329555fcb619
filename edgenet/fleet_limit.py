"""Which boards of a fleet are meant: ``kitchen-*``, ``tag=kitchen``, ``target=raspberry-pi-4``, ``!tag=old``.

A term is ``[!][KEY=]PATTERN``. The key is ``tag``, ``target``, ``device``, or ``name``, which need not be
written; a pattern may hold ``*``, ``?`` and ``[…]``. A comma separates terms. Terms of one key add boards to
each other, terms of different keys must all hold, and what a term with ``!`` matches is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath

from edgenet.board import Board
from edgenet.errors import LibraryError
from edgenet.text import near

__all__ = ["limited"]


def _targets(board: Board) -> Sequence[str]:
    """A stated target, by what is written and by its name."""
    return () if board.target is None else (board.target, PurePath(board.target).stem)


KEYS: dict[str, Callable[[Board], Sequence[str]]] = {
    "name": lambda board: (str(board),),
    "tag": lambda board: board.tags,
    "target": _targets,
    "device": lambda board: (board.device,),
}


@dataclass(frozen=True)
class _Term:
    """One condition."""

    key: str
    pattern: str
    excludes: bool

    def holds(self, board: Board) -> bool:
        return any(fnmatchcase(text, self.pattern) for text in KEYS[self.key](board))


def limited(boards: Sequence[Board], limits: Iterable[str], where: str) -> tuple[Board, ...]:
    """The boards for which the terms hold, in their order; all without any.

    Args:
        boards: Of a fleet.
        limits: Terms, or several with commas between.
        where: What the fleet is called in messages.

    Raises:
        LibraryError: A term is not one, matches no board, or nothing is left.
    """
    terms = [_term(word, where) for limit in limits for word in _words(limit)]
    for term in terms:
        if not any(map(term.holds, boards)):
            raise LibraryError(f"{where}: no board has {term.key} {term.pattern!r}", _remedy(term, boards))
    found = tuple(board for board in boards if _meant(board, terms))
    if not found:
        told = " ".join(f"{'!' if term.excludes else ''}{term.key}={term.pattern}" for term in terms)
        what = "no board in it" if not boards else f"no board is all of {told}"
        raise LibraryError(f"{where}: {what}", "leave out a limit: those of different keys must all hold")
    return found


def _words(limit: str) -> list[str]:
    """Its terms; one without any is refused later, for an empty variable in a script must not mean all."""
    return [word.strip() for word in limit.split(",") if word.strip()] or [""]


def _meant(board: Board, terms: Sequence[_Term]) -> bool:
    if any(term.excludes and term.holds(board) for term in terms):
        return False
    wanted = [term for term in terms if not term.excludes]
    keys = {term.key for term in wanted}
    return all(any(term.holds(board) for term in wanted if term.key == key) for key in keys)


def _term(word: str, where: str) -> _Term:
    excludes = word.startswith("!")
    key, found, pattern = word.removeprefix("!").partition("=")
    if not found:
        key, pattern = "name", key
    if key not in KEYS or not pattern:
        hint = near(key, KEYS) if pattern else ""
        told = f"write one as NAME, {', '.join(f'{name}=…' for name in KEYS if name != 'name')}"
        raise LibraryError(f"{where}: {word!r} is no limit", hint or told)
    return _Term(key, pattern, excludes)


def _remedy(term: _Term, boards: Sequence[Board]) -> str:
    """The same word under another key, the nearest word of this one, or what there is."""
    for key in KEYS:
        if key != term.key and any(_Term(key, term.pattern, False).holds(board) for board in boards):
            return f"did you mean {key}={term.pattern}?"
    known = sorted({text for board in boards for text in KEYS[term.key](board)})
    if hint := near(term.pattern, known):
        return hint
    told = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"choose from {told}" if known else f"no board has a {term.key}: add it to the fleet"
