"""One file per runtime, named like the host's backend, found by listing this folder.

Each file has ``version() -> str`` and ``Session(path, threads)`` with ``describe()``,
``set_input(pixels)``, ``invoke()`` and ``output()``; where it can,
``layers(seconds)`` and ``tap(name, pixels)``.
"""

import importlib
import pkgutil


def names():
    """The backends this agent has a runtime file for."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(backend):
    """The module of a backend.

    Raises:
        ValueError: There is none of this name.
        ImportError: The runtime itself is not installed or does not load here.
    """
    if backend not in names():
        raise ValueError("this agent has no runtime {!r}".format(backend)[:100])
    return importlib.import_module("." + backend, __name__)
