"""``edgenet estimate``: whatever it prints says ESTIMATED."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from edgenet.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["estimate", *arguments], prog_name="edgenet", catch_exceptions=False)


def test_a_time_with_its_interval_and_what_it_was_held_to() -> None:
    result = run("v1-0.75-192", "--target", "raspberry-pi-4")
    assert result.exit_code == 0
    first, second, third = result.stdout.splitlines()
    assert first.startswith("ESTIMATED, not measured: v1-0.75-192 on Raspberry Pi 4 Model B takes ")
    assert second.startswith("tflite int8: nine in ten of ")
    assert third.startswith("ESTIMATED by the data sheet alone: ")
    assert "network alone" in result.stderr
    assert "next: edgenet compile MODEL --target raspberry-pi-4" in result.stderr, "no file is called so"


def test_a_board_that_it_cannot_tell_of() -> None:
    result = run("signs", "--target", "jetson-agx-thor", "--threads", "2")
    assert result.exit_code == 0
    assert result.stdout.startswith("ESTIMATED: cannot tell")
    assert "measure: edgenet sweep signs --val DIR --device user@board" in result.stdout


def test_json_is_one_document_of_its_own_kind() -> None:
    result = run(
        "signs", "--target", "raspberry-pi-4", "--backend", "tflite", "--precision", "fp32", "--json"
    )
    document = json.loads(result.stdout)
    assert (document["kind"], document["target"], document["precision"]) == (
        "estimated", "raspberry-pi-4", "fp32",
    )  # fmt: skip
    assert "schema" not in document


@pytest.mark.parametrize("arguments", [["signs"], ["signs", "--target", "raspberry-pi-4", "--threads", "0"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, ["estimate", *arguments], prog_name="edgenet").exit_code == 2
