"""What the archive runs: ``serve`` (the default), ``worker``, ``demo ARCHIVE`` or ``try BACKEND``."""

import os
import signal
import sys
from typing import Any


def main(arguments):
    """Run one of the agent's processes; returns the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the host's terminal is the host's to handle
    if arguments[:1] == ["worker"]:
        from . import worker

        return worker.main()
    if arguments[:1] == ["demo"]:
        # The demo comes in an archive of its own, which holds only this part of the package.
        package: Any = sys.modules[__package__]
        package.__path__.append(os.path.join(arguments[1], __package__))
        from .demo import run

        return run.main(arguments[2:])
    if arguments[:1] == ["try"]:
        from . import child

        return child.main_try(arguments[1])
    from . import serve

    return serve.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
