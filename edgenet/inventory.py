"""An Ansible inventory, as ``ansible-inventory --list`` prints it, → boards.

The form is that of Ansible's inventory scripts: ``_meta.hostvars`` holds each host's variables, every other
key is a group with ``hosts``, ``children`` and, from ``--export``, ``vars``. Of the variables those are read
that say how a host is reached (Ansible, "Connecting to hosts: behavioral inventory parameters"), and
``edgenet_*``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from edgenet.board import Board
from edgenet.errors import LibraryError
from edgenet.pages import page
from edgenet.ssh_words import ssh_words
from edgenet.text import cause, near

__all__ = ["read_inventory"]

PRINTED = f"give what ansible-inventory prints of your inventory ({page('fleet', 'ansible')})"
META, EVERY, UNGROUPED = "_meta", "all", "ungrouped"
PREFIX = "edgenet_"
OWN = ("target", "home", "canary", "tags")
# By ssh, or on this machine; hosts with other connections (docker, winrm …) are no boards.
SSH, LOCAL = ("ssh", "smart", "paramiko", "paramiko_ssh"), "local"
SSH_ARGS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
PASSWORDS = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
# What Ansible itself says where "this machine" is in an inventory: the Python that runs Ansible.
OWN_PYTHON = "{{ ansible_playbook_python }}"


def read_inventory(text: str, where: str) -> tuple[tuple[Board, ...], tuple[str, ...]]:
    """The boards of an inventory, and what of it is not used.

    Args:
        text: JSON.
        where: The file's name, for messages.

    Raises:
        LibraryError: It is not an inventory, or a value in it cannot be used; the host and the key are named.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LibraryError(f"{where}: not a readable JSON file ({cause(error)})", PRINTED) from None
    inventory = _Inventory(_mapping(found, where), where)
    boards = tuple(board for host in inventory.hosts if (board := inventory.board(host)) is not None)
    if not boards:
        raise LibraryError(f"{where}: there are no boards in it", PRINTED)
    return boards, tuple(inventory.notes())


class _Inventory:
    """What was read, and what was left out for which hosts."""

    def __init__(self, found: Mapping[str, Any], where: str) -> None:
        self._where, self._left_out = where, dict[str, list[str]]()
        meta = _mapping(found.get(META, {}), f"{where}: {META}")
        self._own = {
            name: _mapping(values, f"{where}: {name}")
            for name, values in _mapping(meta.get("hostvars", {}), f"{where}: {META}.hostvars").items()
        }
        self._groups = {
            name: _group(item, f"{where}: {name}") for name, item in found.items() if name != META
        }
        self._parents: dict[str, list[str]] = {}
        for name, group in self._groups.items():
            for child in _texts(group, "children", f"{where}: {name}"):
                self._parents.setdefault(child, []).append(name)
        self._of: dict[str, list[str]] = {}
        for name in self._ordered():
            for host in _texts(self._groups.get(name, {}), "hosts", f"{where}: {name}"):
                self._of.setdefault(host, []).append(name)
        self.hosts = list(dict.fromkeys([*self._of, *self._own]))

    def _ordered(self) -> Iterator[str]:
        """Every group once, those within another behind it, as they are listed."""
        waiting, seen = [EVERY, *self._groups][::-1], set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                yield name
                waiting += _texts(self._groups.get(name, {}), "children", self._where)[::-1]

    def _above(self, host: str) -> dict[str, int]:
        """The groups that a host is in, and how far above it each is.

        Raises:
            LibraryError: Groups contain each other.
        """
        found: dict[str, int] = {}
        level, height = set(self._of.get(host, [])), 1
        while level:
            if height > len(self._groups) + 1:
                raise LibraryError(
                    f"{self._where}: group {min(level)} is within itself", "take one of its children out"
                )
            found |= dict.fromkeys(level, height)
            level = {parent for name in level for parent in self._parents.get(name, [])}
            height += 1
        return found

    def _values(self, host: str, above: Mapping[str, int]) -> _Values:
        """The host's variables: its own, then those of its nearest groups."""
        values: dict[str, Any] = {}
        groups = [
            EVERY,
            *sorted((name for name in above if name != EVERY), key=lambda name: (-above[name], name)),
        ]
        for name in groups:
            group = self._groups.get(name, {})
            values |= _mapping(group.get("vars", {}), f"{self._where}: {name}.vars")
        return _Values(values | dict(self._own.get(host, {})), f"{self._where}: {host}")

    def board(self, host: str) -> Board | None:
        """A host as a board; ``None`` where it is no board."""
        above = self._above(host)
        values = self._values(host, above)

        def note(what: str) -> None:
            self._left_out.setdefault(what, []).append(host)

        connection = values.text("ansible_connection") or "ssh"
        kind = connection.rpartition(".")[2]
        if kind not in (*SSH, LOCAL):
            note(f"its connection is {connection}, not ssh: it is no board here")
            return None
        if any(name in values.found for name in PASSWORDS):
            note("its password is not used: ssh asks for it, or takes a key")
        tags = [*sorted(above.keys() - {EVERY, UNGROUPED}), *values.tags()]
        values.check_own()
        return Board(
            device=LOCAL if kind == LOCAL else _device(values, host),
            target=values.text(f"{PREFIX}target") or None,
            name=host,
            tags=tuple(dict.fromkeys(tags)),
            canary=values.whole(f"{PREFIX}canary", 10_000),
            home=values.text(f"{PREFIX}home"),
            python=_python(values, note),
            ssh_options=() if kind == LOCAL else tuple(_ssh_options(values, note)),
        )

    def notes(self) -> Iterator[str]:
        """What is not used, each once, with the hosts that it is about."""
        for what, hosts in self._left_out.items():
            told = ", ".join(hosts[:4]) + (f" and {len(hosts) - 4} more" if len(hosts) > 4 else "")
            yield f"{told}: {what}"


class _Values:
    """A host's variables; what Ansible itself would still have to compute is refused."""

    def __init__(self, found: Mapping[str, Any], where: str) -> None:
        self.found, self.where = found, where

    def text(self, *names: str) -> str:
        """The first of some variables that is there, as text; empty without one."""
        for name in names:
            if name not in self.found:
                continue
            value = self.found[name]
            if isinstance(value, str | int) and not isinstance(value, bool):
                return self._plain(name, str(value))
            if value is not None:
                hint = "ansible-vault decrypts it" if isinstance(value, dict) else "correct it"
                raise LibraryError(f"{self.where}: {name} is not text", f"write it as text; {hint}")
        return ""

    def _plain(self, name: str, value: str) -> str:
        if ("{{" in value or "{%" in value) and value != OWN_PYTHON:
            raise LibraryError(
                f"{self.where}: {name} = {value!r} is a template, which only Ansible can fill in",
                "write the value itself, or give this host's address another way",
            )
        if not value.isprintable():
            raise LibraryError(
                f"{self.where}: {name} = {value!r} has characters that are no text", "correct it"
            )
        return value.strip()

    def whole(self, name: str, most: int) -> int | None:
        """A whole number from 1."""
        value = self.text(name)
        if not value:
            return None
        if not (value.isdecimal() and value.isascii() and len(value) < 9 and 1 <= int(value) <= most):
            raise LibraryError(
                f"{self.where}: {name} = {value!r} is no number from 1 to {most}", "correct it"
            )
        return int(value)

    def tags(self) -> list[str]:
        """``edgenet_tags``: a list, or words with commas between."""
        name = f"{PREFIX}tags"
        value = self.found.get(name)
        if not isinstance(value, list):
            return [word.strip() for word in self.text(name).split(",") if word.strip()]
        if not all(isinstance(item, str) for item in value):
            raise LibraryError(f"{self.where}: {name} holds what is not text", "put it in quotes")
        return [self._plain(name, item) for item in value]

    def check_own(self) -> None:
        """Refuse a variable of edgenet's that there is not."""
        for name in self.found:
            if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in OWN:
                known = [f"{PREFIX}{item}" for item in OWN]
                raise LibraryError(
                    f"{self.where}: does not know {name!r}", near(name, known) or f"use {', '.join(known)}"
                )


def _device(values: _Values, host: str) -> str:
    """``user@host:port``, of which user and port may be left to ssh."""
    address = values.text("ansible_host", "ansible_ssh_host") or host
    user = values.text("ansible_user", "ansible_ssh_user")
    for name in ("ansible_port", "ansible_ssh_port"):
        port = values.whole(name, 65535)
        if port is not None:
            address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            break
    return f"{user}@{address}" if user else address


def _python(values: _Values, note: Any) -> str:
    """The interpreter, where it is a file there."""
    value = values.text("ansible_python_interpreter")
    if not value or value.startswith("auto") or value == OWN_PYTHON:
        return ""
    if not value.startswith(("/", "~/")) or " " in value:
        note(f"ansible_python_interpreter = {value!r} is no full path: the first Python that fits is used")
        return ""
    return value


def _ssh_options(values: _Values, note: Any) -> Iterator[str]:
    if key := values.text("ansible_ssh_private_key_file", "ansible_private_key_file"):
        yield from ("-i", key)
    for name in SSH_ARGS:
        yield from ssh_words(values.text(name), f"{values.where}: {name}", note)
    for name in ("ansible_host_key_checking", "ansible_ssh_host_key_checking"):
        if str(values.found.get(name, "yes")).lower() in ("false", "no", "0", "off"):
            note(f"{name} is left out: edgenet always has ssh check host keys")


def _group(item: Any, where: str) -> Mapping[str, Any]:
    """A group; scripts may give its hosts alone."""
    return {"hosts": item} if isinstance(item, list) else _mapping(item, where)


def _texts(group: Mapping[str, Any], key: str, where: str) -> list[str]:
    found = group.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise LibraryError(f"{where}: {key} is not a list of names", PRINTED)
    return found


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise LibraryError(f"{where} is not an object", PRINTED)
