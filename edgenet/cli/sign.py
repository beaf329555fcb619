"""``edgenet sign``."""

from __future__ import annotations

import os

import click

from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, remark, say, say_next
from edgenet.text import plain

__all__ = ["sign"]

VARIABLE = "EDGENET_KEY_PASSPHRASE"


@click.command()
@click.argument(
    "bundles", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="BUNDLE..."
)
@click.option(
    "--key",
    required=True,
    envvar="EDGENET_KEY",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="K",
    help="Your Ed25519 key as OpenSSH keeps it; or the .pub of one that your ssh-agent holds.",
)
@click.option("--force", is_flag=True, help="Replace the signature of another key.")
@json_option
def sign(bundles: tuple[str, ...], key: str, force: bool, as_json: bool) -> None:
    """Sign bundles with your SSH key.

    Writes BUNDLE.sig beside each bundle, which stays the same byte for byte: an OpenSSH signature (namespace
    edgenet-bundle) of its manifest. A board asks for signatures after edgenet trust, and edgenet deploy
    --require-signature asks here. The passphrase of an encrypted key is asked for at a terminal; elsewhere it
    is read from EDGENET_KEY_PASSPHRASE.

    \b
    Example:
      edgenet sign mobilenet.edgenet --key ~/.ssh/id_ed25519
      edgenet sign *.edgenet --key team_key --force
    """
    from edgenet.steps.sign import sign as run

    done = run(bundles, key, lambda: _passphrase(key), force)
    if as_json:
        print_json([item.to_table() for item in done])
        return
    for item in done:
        state = "signed" if item.changed else "was signed"
        say(f"{item.bundle} ({item.digest[:12]}) {state} by {item.key}: {item.signature}")
    if not any(item.changed for item in done):
        remark("nothing was written: the signatures were there")
    say_next("trust", "--key", _public(key), "--device", "D", why="once for each board")


def _passphrase(key: str) -> str:
    if said := os.environ.get(VARIABLE):
        return said
    if not os.isatty(0):
        return ""
    return str(click.prompt(f"Passphrase of {plain(key)}", hide_input=True, err=True))


def _public(key: str) -> str:
    return key if key.endswith(".pub") else f"{key}.pub"
