"""Folders on a board in which edgenet cannot work, and what to do."""

from __future__ import annotations

import shlex

from edgenet.errors import ConnectionFailed
from edgenet.pages import page

__all__ = ["ELSEWHERE", "UNUSABLE", "unsafe_home", "unusable_home"]

ELSEWHERE = "name another folder with --board-home DIR, or with EDGENET_HOME there"
# The bootstrap's words, and what each says of the board {0} and the folder {1}.
UNUSABLE = {
    "no-space": "{0} has no space left in {1}",
    "cannot-write": "{0} does not let this user write {1}",
    "read-only": "{1} on {0} is on a file system that is mounted read-only",
    "no-links": "{1} on {0} is on a file system without symbolic links, such as FAT: a deployment could not "
    "be replaced at once",
}


def unusable_home(board: str, word: str, folder: str) -> ConnectionFailed:
    """The error of a folder that cannot hold what edgenet keeps; the caller raises it."""
    what = UNUSABLE[word].format(board, folder)
    if word == "no-space":
        about = page("troubleshooting", "no-space-left")
        return ConnectionFailed(what, f"free some space there, or {ELSEWHERE} ({about})")
    return ConnectionFailed(what, f"{ELSEWHERE} ({page('troubleshooting', 'the-folder-cannot-be-used')})")


def unsafe_home(board: str, how: str, number: str = "", folder: str = "") -> ConnectionFailed:
    """The error of a folder that another user could change (``edgenet/agent/store/safe.py``)."""
    if how == "open":
        mode = f" (mode {int(number):04o})" if number.isdecimal() else ""
        return ConnectionFailed(
            f"{board} lets other users write {folder}{mode}: they could change what edgenet runs there",
            f"run `chmod go-w {shlex.quote(folder)}` there, or {ELSEWHERE}",
        )
    return ConnectionFailed(
        f"{folder} on {board} belongs to another user (uid {number}): they could change what edgenet runs",
        f"run `sudo chown -R $(id -u) {shlex.quote(folder)}` there if it is yours, or {ELSEWHERE}",
    )
