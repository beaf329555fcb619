"""The ``edgenet`` command: its subcommands, and every end of a run as one line and an exit code."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from edgenet import __version__
from edgenet.cli.shared.group import Commands
from edgenet.cli.shared.journal import Journal
from edgenet.cli.shared.loudness import loudness_options
from edgenet.cli.shared.output import say, tell_usage
from edgenet.cli.shared.unexpected import unexpected
from edgenet.errors import EXIT_FAILED, EXIT_INTERRUPTED, EdgenetError
from edgenet.log import log

__all__ = ["cli", "main"]

# Ctrl-C was pressed.
_interrupted = threading.Event()

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Commands, context_settings=SETTINGS, params=loudness_options())
@click.version_option(__version__, "-V", "--version", prog_name="edgenet", message="%(prog)s %(version)s")
def cli() -> None:
    """Put a trained MobileNet on a Raspberry Pi or Jetson.

    \b
    Quantize and compile a model, deploy it over SSH, and measure on the board
    how fast it runs, what memory it takes and what accuracy it lost.

    \b
    Example:
      edgenet quickstart
      edgenet compile m.h5 --target raspberry-pi-4 --calibration imgs -o m.edgenet
      edgenet deploy m.edgenet --device pi@raspberrypi.local
      edgenet profile m.edgenet --device pi@raspberrypi.local --val photos/val
      edgenet help profile

    \b
    Exit codes: 0 done, 1 failed (one line says why and what to do), 2 usage,
    3 board unreachable or lost, 4 measured but over a limit, 130 interrupted.
    """


cli.add_all(Path(__file__).parent, "edgenet.cli", without=Path(__file__).stem)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; what threads and libraries would print goes to the log."""
    _open_all()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")  # a pipe in Windows, or LC_ALL=C, has no words for "–"
    logging.captureWarnings(True)
    threading.excepthook = _of_a_thread
    sys.exit(_run(arguments))


def _open_all() -> None:
    """Give a process that was started without one of its three streams (``>&-``, services) an empty one."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _run(arguments: list[str] | None) -> int:
    _interrupted.clear()
    with Journal(sys.argv[1:] if arguments is None else arguments) as journal:
        try:
            result = cli.main(arguments, prog_name="edgenet", standalone_mode=False)
        except click.ClickException as error:
            tell_usage(error)
            return error.exit_code
        except EdgenetError as error:
            return _failed(journal, error, _words(error), error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            return _stopped()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return EXIT_FAILED
        except Exception as error:
            # A library that is interrupted while it is loaded makes another error of it.
            stopped = _interrupted.is_set()
            return _stopped() if stopped else _failed(journal, error, unexpected(error), EXIT_FAILED)
    return result if isinstance(result, int) else 0


def _stopped() -> int:
    say("edgenet: interrupted", err=True)
    return EXIT_INTERRUPTED


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interrupted.set()
    signal.default_int_handler(number, frame)


def _words(error: EdgenetError) -> str:
    """An expected failure in one line, as the command line tells it."""
    return f"{error.what}; {error.remedy}" if error.remedy else error.what


def _failed(journal: Journal, error: Exception, words: str, code: int) -> int:
    """Tell it in one line, and where the log of the run is."""
    say(f"edgenet: {words}", err=True)
    if path := journal.save(error):
        say(f"edgenet: log: {path}", err=True)
    return code


def _of_a_thread(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "a thread"
    log.debug("%s ended with %r", name, failure.exc_value)
