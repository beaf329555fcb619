"""What the archive runs: ``serve`` (the default), ``worker`` or ``try BACKEND``."""

import signal
import sys


def main(arguments):
    """Run one of the agent's three processes; returns the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the host's terminal is the host's to handle
    if arguments[:1] == ["worker"]:
        from . import worker

        return worker.main()
    if arguments[:1] == ["try"]:
        from . import child

        return child.main_try(arguments[1])
    from . import serve

    return serve.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
