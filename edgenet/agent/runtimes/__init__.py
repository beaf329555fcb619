"""The runtimes' halves of the agent, one a backend, named like the host's; each is a part (:mod:`..parts`).

A half has ``version() -> str`` and ``Session(path, threads)`` with ``describe()``, ``set_input(pixels)``,
``invoke()`` and ``output()``; where it can, ``layers(seconds)`` and ``tap(name, pixels)``. ``path`` is a bare
ASCII name: the process stands in the artifact's folder.
"""

from .. import parts


def load(backend):
    """The module of a backend.

    Raises:
        ValueError: There is none of this name.
        ImportError: The runtime itself is not installed or does not load here.
    """
    try:
        return parts.load(parts.RUNTIMES, backend)
    except ValueError:
        raise ValueError("this agent has no runtime {!r}".format(backend)[:100])
