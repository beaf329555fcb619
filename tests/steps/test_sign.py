"""Signed bundles on the host: written, found beside their files, shown, required before all else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import edgenet
from edgenet.agent.signed.kept import files, kept
from edgenet.backend import backend_names
from edgenet.board import Board
from edgenet.bundle import Bundle, pack
from edgenet.cli.main import cli
from edgenet.errors import BundleError, DeviceError, EdgenetError, PackageError, SignatureError
from edgenet.signatures.ssh_signature import MAX_SIGNATURE
from edgenet.steps.compile import compile
from edgenet.zoo import EMBEDDED, embedded
from tests.manifests import manifest
from tests.signatures import keys

pytest.importorskip("cryptography")
SMALL = {"model.tflite": b"x", "reference.onnx": b"y"}


@pytest.fixture
def files_of(tmp_path: Path) -> dict[str, Path]:
    """Keys, and a bundle of no network."""
    return {**keys.write(tmp_path), "m": bundle_file(tmp_path / "m.edgenet")}


def bundle_file(path: Path, **changes: Any) -> Path:
    path.write_bytes(pack({**manifest(), **changes}, SMALL))
    return path


def run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(word) for word in words], prog_name="edgenet")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


class TestSign:
    def test_the_file_is_what_ssh_keygen_writes(self, files_of: dict[str, Path]) -> None:
        before = files_of["m"].read_bytes()
        (done,) = edgenet.sign(files_of["m"], files_of["alice"])
        assert (done.key, done.changed) == (keys.FINGERPRINT, True)
        bundle = Bundle.load(files_of["m"])
        words = ("-Y", "sign", "-n", "edgenet-bundle", "-f", files_of["alice"])
        assert bundle.signature == keys.keygen(*words, message=bundle.raw).stdout
        assert files_of["m"].read_bytes() == before
        assert done.digest == bundle.digest

    def test_what_ssh_keygen_signed_is_taken(self, files_of: dict[str, Path]) -> None:
        raw = Bundle.load(files_of["m"]).raw
        words = ("-Y", "sign", "-n", "edgenet-bundle", "-f", files_of["alice"])
        Path(f"{files_of['m']}.sig").write_bytes(keys.keygen(*words, message=raw).stdout)
        assert edgenet.signed_by(files_of["m"]).key == keys.FINGERPRINT
        assert not edgenet.sign(files_of["m"], files_of["alice"])[0].changed

    def test_another_signature_is_replaced_only_by_force(self, files_of: dict[str, Path]) -> None:
        pytest.importorskip("bcrypt")
        edgenet.sign(files_of["m"], files_of["alice"])
        with pytest.raises(SignatureError, match=r"m\.edgenet\.sig is there, and another"):
            edgenet.sign(files_of["m"], files_of["bob"], keys.PASSPHRASE)
        edgenet.sign(files_of["m"], files_of["bob"], lambda: keys.PASSPHRASE, force=True)
        assert edgenet.signed_by(files_of["m"]).key != keys.FINGERPRINT

    def test_all_are_signed_or_none(self, files_of: dict[str, Path], tmp_path: Path) -> None:
        other = bundle_file(tmp_path / "n.edgenet", target="rpi")
        Path(f"{other}.sig").write_text("mine")
        with pytest.raises(SignatureError, match="n.edgenet.sig is there"):
            edgenet.sign([files_of["m"], other], files_of["alice"])
        assert Bundle.load(files_of["m"]).signature is None
        assert len(edgenet.sign([files_of["m"], other], files_of["alice"], force=True)) == 2

    def test_a_manifest_that_boards_could_not_follow(self, tmp_path: Path) -> None:
        told = manifest()
        told["preprocessing"] = {**told["preprocessing"], "color": "gray", "mean": [1.0], "std": [2.0]}
        keys.write(tmp_path)
        with pytest.raises(BundleError, match="its manifest is of another edgenet"):
            edgenet.sign(bundle_file(tmp_path / "m.edgenet", **told), tmp_path / "alice")

    def test_a_public_key_asks_the_ssh_agent(
        self, files_of: dict[str, Path], ssh_agent: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files_of["alice"].rename(files_of["alice"].with_name("elsewhere"))
        with pytest.raises(SignatureError, match="a public key, and no ssh-agent signs with it"):
            edgenet.sign(files_of["m"], files_of["alice.pub"])
        for name, value in ssh_agent.items():
            monkeypatch.setenv(name, value)
        subprocess.run(["ssh-add", "-q", files_of["m"].parent / "elsewhere"], check=True)
        edgenet.sign(files_of["m"], files_of["alice.pub"])
        assert edgenet.signed_by(files_of["m"]).key == keys.FINGERPRINT

    def test_without_the_extra(self, files_of: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
        with pytest.raises(PackageError, match=r'pip install "edgenet\[sign\]"'):
            edgenet.sign(files_of["m"], files_of["alice"])

    def test_the_command(self, files_of: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("bcrypt")
        monkeypatch.delenv("EDGENET_KEY_PASSPHRASE", raising=False)
        monkeypatch.setattr(os, "isatty", lambda _: False)
        with pytest.raises(SignatureError, match="the key is encrypted"):
            run("sign", files_of["m"], "--key", files_of["bob"])
        monkeypatch.setenv("EDGENET_KEY_PASSPHRASE", keys.PASSPHRASE)
        code, said = run("sign", files_of["m"], "--key", files_of["bob"])
        assert (code, "signed by SHA256:" in said) == (0, True)
        monkeypatch.setenv("EDGENET_KEY_PASSPHRASE", "wrong")
        with pytest.raises(SignatureError, match="the passphrase is wrong"):
            run("sign", files_of["m"], "--key", files_of["bob"])


@pytest.fixture
def ssh_agent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An ssh-agent of this test's own."""
    socket = tmp_path / "agent"
    try:
        process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    except FileNotFoundError:
        pytest.skip("no ssh-agent here")
    assert process.stdout is not None
    process.stdout.readline()
    yield {"SSH_AUTH_SOCK": str(socket)}
    process.terminate()
    process.wait()
    process.stdout.close()


class TestBeside:
    """What lies beside a bundle is bounded, and trusted by nobody."""

    def test_a_huge_file_is_refused_unread(self, files_of: dict[str, Path]) -> None:
        Path(f"{files_of['m']}.sig").write_bytes(b"\0" * (MAX_SIGNATURE + 1))
        with pytest.raises(BundleError, match=r"m\.edgenet\.sig: no signature \(.*at most 16 kB"):
            Bundle.load(files_of["m"])

    def test_a_fifo_is_not_waited_for(self, files_of: dict[str, Path]) -> None:
        os.mkfifo(f"{files_of['m']}.sig")
        with pytest.raises(BundleError, match="a FIFO, not a file"):
            Bundle.load(files_of["m"])

    def test_binary_is_said_to_be_none(self, files_of: dict[str, Path]) -> None:
        Path(f"{files_of['m']}.sig").write_bytes(bytes(range(256)))
        with pytest.raises(SignatureError, match=r"m\.tflite\.int8 \(.*\): not an SSH signature"):
            edgenet.signed_by(files_of["m"])
        code, said = run("inspect", files_of["m"])
        assert (code, "NOT VALID" in said) == (0, True)

    def test_a_bundle_that_was_changed_after_signing(self, files_of: dict[str, Path]) -> None:
        edgenet.sign(files_of["m"], files_of["alice"])
        bundle_file(files_of["m"], target="other")
        with pytest.raises(SignatureError, match="the bundle or the signature was changed"):
            edgenet.signed_by(files_of["m"])

    def test_inspect_tells_whose_it_is(self, files_of: dict[str, Path], tmp_path: Path) -> None:
        def told(*words: str | Path) -> Any:
            return json.loads(run("inspect", files_of["m"], *words, "--json")[1])["signature"]

        assert told() is None
        edgenet.sign(files_of["m"], files_of["alice"])
        assert told() == {"key": keys.FINGERPRINT, "valid": True, "signer": None, "why": ""}
        allowed = tmp_path / "allowed"
        allowed.write_text(f"alice@team {keys.ALICE_PUB}\n")
        assert told("--signers", allowed)["signer"] == "alice@team"
        assert (
            f"valid, by alice@team, {keys.FINGERPRINT}"
            in run("inspect", files_of["m"], "--signers", allowed)[1]
        )
        allowed.write_text(f"bob@team {keys.BOB_PUB}\n")
        assert told("--signers", allowed)["valid"] is False


class TestRequired:
    @pytest.mark.parametrize(
        ("signed", "list_", "said"),
        [
            (False, f"alice@team {keys.ALICE_PUB}", "is not signed"),
            (True, f"bob@team {keys.BOB_PUB}", "no key of"),
            (True, f'alice@team namespaces="git" {keys.ALICE_PUB}', "may sign git alone"),
            (True, f'alice@team valid-before="20010101" {keys.ALICE_PUB}', "counted only until"),
            (True, f"alice@team cert-authority {keys.ALICE_PUB}", "cert-authority"),
            (True, "junk", "line 1"),
        ],
    )
    @pytest.mark.parametrize("command", ["deploy", "rollout"])
    def test_nothing_is_sent(
        self, signed: bool, list_: str, said: str, command: str, files_of: dict[str, Path], tmp_path: Path
    ) -> None:
        if signed:
            edgenet.sign(files_of["m"], files_of["alice"])
        (tmp_path / "allowed").write_text(list_ + "\n")
        where = ("--device", "local", "--board-home", tmp_path / "never")
        with pytest.raises(SignatureError, match=said):
            run(command, files_of["m"], *where, "--require-signature", "--signers", tmp_path / "allowed")
        assert not (tmp_path / "never").exists()

    def test_the_usual_file_is_that_of_git_and_ssh(
        self, files_of: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("EDGENET_SIGNERS", raising=False)
        with pytest.raises(SignatureError, match=r"\.ssh/allowed_signers: cannot be read"):
            run("deploy", files_of["m"], "--require-signature")


@pytest.mark.parametrize("backend", backend_names())
@pytest.mark.parametrize("name", EMBEDDED)
def test_both_sides_of_the_wire_read_the_same_of_every_bundle(name: str, backend: str) -> None:
    """What a board derives from the signed bytes is what the host sends, and what the manifest means."""
    where, precision = ("jetson-orin-nano", "fp16") if backend == "tensorrt" else ("local", "fp32")
    bundle = compile(str(embedded(name)), where, backend, precision).bundle
    told, whole = bundle.manifest, json.loads(bundle.raw)
    assert len(files(whole)) == (3 if backend == "tensorrt" else 1)
    for file in files(whole):
        derived = kept(whole, bundle.digest, file)
        assert derived == kept(told.to_table(), bundle.digest, file)
        assert derived["labels"] == list(told.class_names)
        assert (derived["name"], derived["backend"]) == (bundle.name, told.backend)
        assert derived["artifact_size"] == len(bundle.files[file])
        assert derived["preprocessing"] == told.preprocessing.to_table()
        assert derived["task"] == {"name": told.model.task, "settings": dict(told.model.settings)}
        assert derived["output"]["scale"] == told.artifact.output.scale
        assert len(derived["output"].get("parts", ())) == len(told.artifact.output.parts or ())
        assert derived["build"] == told.artifact.build


class TestOnABoard:
    """A board of this machine, with a home of its own."""

    def test_only_signed_builds_come_and_come_back(self, tmp_path: Path) -> None:
        keys.write(tmp_path)
        keys.keygen("-l", "-f", tmp_path / "alice.pub")
        board = Board("local", name="kitchen", home=str(tmp_path / "home"))
        first, other = (self.built(tmp_path, backend) for backend in ("onnxruntime", "tflite"))
        edgenet.sign(first, tmp_path / "alice")
        edgenet.deploy(other, board)
        edgenet.deploy(first, board)
        found = edgenet.trust(tmp_path / "alice.pub", board)
        assert (found.keys[0].name, found.refused) == ("alice@team", None)
        with pytest.raises(DeviceError, match=r"is not signed, and this board trusts alice@team SHA256:"):
            edgenet.deploy(other, board)
        with pytest.raises(DeviceError, match="is not signed, and this board trusts"):
            edgenet.rollback(board)
        quick = replace(edgenet.Protocol.load("quick"), warmup_s=0.0, min_seconds=0.1, cooldown_s=0.0)
        assert edgenet.profile(other, board, quick).fps.model > 0, "measuring makes nothing current"
        assert edgenet.status(board).current.digest == Bundle.load(first).digest
        assert not edgenet.deploy(first, board).changed
        edgenet.sign(other, tmp_path / "alice")
        assert edgenet.deploy(other, board).changed
        assert edgenet.rollback(board).digest == Bundle.load(first).digest
        assert edgenet.untrust(None, board).asked is False

    def built(self, folder: Path, backend: str) -> Path:
        made = compile(str(embedded("signs")), "local", backend, "fp32")
        path = folder / f"{backend}.edgenet"
        path.write_bytes(made.data)
        return path

    def test_no_board_gets_a_signature_that_is_none(self, tmp_path: Path) -> None:
        board = Board("local", home=str(tmp_path / "home"))
        bundle = replace(Bundle.load(self.built(tmp_path, "onnxruntime")), signature=b"\0junk")
        with pytest.raises(EdgenetError, match="not an SSH signature"):
            edgenet.deploy(bundle, board)

    def test_a_private_key_is_never_sent(self, tmp_path: Path) -> None:
        keys.write(tmp_path)
        board = Board("local", home=str(tmp_path / "home"))
        with pytest.raises(SignatureError, match=r"never leaves your machine; nothing was sent"):
            edgenet.trust(tmp_path / "alice", board)
        assert not (tmp_path / "home").exists()

    @pytest.mark.parametrize("name", ["a b", "*", "!a", "a" * 65, "a,b"])
    def test_a_name_is_one_word(self, name: str, tmp_path: Path) -> None:
        keys.write(tmp_path)
        with pytest.raises(SignatureError, match="is no name for a key"):
            edgenet.trust(tmp_path / "alice.pub", Board("local", home=str(tmp_path / "home")), name)

    def test_the_command_on_two_boards(self, tmp_path: Path) -> None:
        keys.write(tmp_path)
        keys.keygen("-l", "-f", tmp_path / "alice.pub")
        fleet = tmp_path / "fleet.toml"
        fleet.write_text(
            "".join(
                f'[boards.{name}]\ndevice = "local"\nhome = "{tmp_path / name}"\n' for name in ("one", "two")
            )
        )
        code, said = run("trust", "--fleet", fleet, "--key", tmp_path / "alice.pub", "--json")
        told = json.loads(said[said.index("{") :][: said.rindex("}") + 1])
        assert (code, [item["result"]["keys"][0]["name"] for item in told["boards"]]) == (
            0,
            ["alice@team"] * 2,
        )
        one = ("--device", "local", "--board-home", tmp_path / "one")
        assert "alice@team" in run("trust", *one)[1]
        assert "asks for no signatures" in run("trust", *one, "--off")[1]
        assert run("trust", *one, "--off", "--list")[0] == 2
