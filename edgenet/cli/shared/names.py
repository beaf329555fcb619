"""Types of options whose values have names: the shell completes them, and a near miss is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from edgenet.library import names
from edgenet.text import near

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "BACKEND", "DEVICE", "MODEL", "PRECISION", "PRESET", "PROTOCOL", "RECIPE", "SWEEP", "TARGET", "TASK",
    "Choice", "Names",
]  # fmt: skip


class Names(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Text that is one of some names; whether it is, the step decides that is given it.

    Args:
        found: Gives the names, when the shell asks for them.
        files: Whether a file may be named as well.
    """

    name = "text"

    def __init__(self, found: Callable[[], Iterable[str]], files: bool = False) -> None:
        self._found, self._files = found, files

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """The names that begin so, else files."""
        from click.shell_completion import CompletionItem

        items = [CompletionItem(name) for name in self._found() if name.startswith(incomplete)]
        return items or ([CompletionItem(incomplete, type="file")] if self._files else [])


class Choice(click.Choice):  # type: ignore[type-arg, unused-ignore]
    """One of a few values; the nearest is offered in place of a wrong one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; a wrong one is wrong usage."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            told = [error.message.rstrip("."), near(str(value), map(str, self.choices))]
            raise click.BadParameter("; ".join(filter(None, told)), ctx, param) from None


def _library(kind: str) -> Names:
    return Names(lambda: names(kind), files=True)


def _backends() -> Iterable[str]:
    from edgenet.backend import backend_names

    return backend_names()


def _precisions() -> Iterable[str]:
    from edgenet.steps.plan import PRECISIONS

    return PRECISIONS


def _devices() -> Iterable[str]:
    from edgenet.devices.ssh_config import ssh_hosts

    return ["local", *ssh_hosts()]


def _embedded() -> Iterable[str]:
    from edgenet.zoo import EMBEDDED

    return EMBEDDED


def _families() -> Iterable[str]:
    from edgenet.zoo.named import FAMILIES

    return FAMILIES


def _tasks() -> Iterable[str]:
    from edgenet.steps.embedded import embedded_tasks

    return embedded_tasks()


TARGET = _library("target")
RECIPE = _library("recipe")
PROTOCOL = _library("protocol")
PRESET = _library("preset")
BACKEND = Names(_backends)
PRECISION = Names(_precisions)
DEVICE = Names(_devices)
TASK = Names(_tasks)
SWEEP = Names(lambda: [*names("sweep"), *_families()], files=True)
MODEL = Names(_embedded, files=True)
