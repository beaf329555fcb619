"""The ``edgenet`` command: finds its subcommands and turns errors into one line and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import pkgutil
import sys
from pathlib import Path
from typing import NoReturn

import click

from edgenet import __version__
from edgenet.cli.shared.output import say, tell_usage
from edgenet.errors import EXIT_INTERRUPTED, EdgenetError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="edgenet", message="%(prog)s %(version)s")
def cli() -> None:
    """Take a trained MobileNet to a Raspberry Pi or Jetson, with the proof.

    \b
    Quantize and compile a model, deploy it over SSH, and measure on the board
    how fast it runs, what memory it takes and what accuracy it lost.

    \b
    Example:
      edgenet quickstart
      edgenet compile mobilenet.onnx --target raspberry-pi-4 --calibration photos/
      edgenet deploy mobilenet.raspberry-pi-4.tflite.int8.edgenet --device pi@raspberrypi.local
      edgenet profile mobilenet.raspberry-pi-4.tflite.int8.edgenet --device pi@raspberrypi.local

    \b
    Exit codes: 0 done, 1 failed (one line says why and what to do), 2 usage,
    3 board unreachable or lost, 4 measured but over a limit, 130 interrupted.
    """


def _add_commands() -> None:
    """Add the command of every module beside this one, the function named like it; folders are none."""
    for item in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not item.ispkg and item.name != Path(__file__).stem:
            module = importlib.import_module(f"edgenet.cli.{item.name}")
            cli.add_command(getattr(module, item.name))


_add_commands()


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")  # a pipe in Windows, or LC_ALL=C, has no words for "–"
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        result = cli.main(arguments, prog_name="edgenet", standalone_mode=False)
    except click.ClickException as error:
        tell_usage(error)
        return error.exit_code
    except EdgenetError as error:
        remedy = f"; {error.remedy}" if error.remedy else ""
        say(f"edgenet: {error.what}{remedy}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("edgenet: interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result if isinstance(result, int) else 0
