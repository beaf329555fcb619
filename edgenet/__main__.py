"""``python -m edgenet``, and what the command ``edgenet`` starts."""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["start"]


def start() -> NoReturn:
    """Run the command line; Ctrl-C while it is still being loaded ends it as quietly as later."""
    try:
        from edgenet.cli.main import main
    except KeyboardInterrupt:
        from edgenet.errors import EXIT_INTERRUPTED

        sys.exit(EXIT_INTERRUPTED)
    main()


if __name__ == "__main__":
    start()
