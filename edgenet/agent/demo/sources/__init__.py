"""Where pictures come from: one file a kind, opened by the kind that the host names."""

import importlib

from ...failure import Failure

# kind: (module, class)
KINDS = {
    "synthetic": ("synthetic", "Synthetic"),
}


def open_source(options):
    """The open source of ``options["kind"]``.

    Raises:
        Failure: There is none of this kind, or it cannot work here.
    """
    if options.get("kind") not in KINDS:
        raise Failure("source", "the agent has no source {!r}".format(options.get("kind"))[:100])
    module, name = KINDS[options["kind"]]
    source = getattr(importlib.import_module("." + module, __name__), name)(options)
    source.open()
    return source
