"""Fleets as data: a TOML file, what ansible-inventory printed of inventories, and which boards are meant."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.board import Board
from edgenet.errors import LibraryError
from edgenet.fleet import Fleet
from edgenet.inventory import read_inventory

DATA = Path(__file__).parent / "inventories"
BOARDS = """
[boards.kitchen-1]
device = "pi@192.168.7.11"
target = "raspberry-pi-4"
tags = ["kitchen", "pilot"]
canary = 1

[boards.kitchen-2]
device = "pi@192.168.7.12:2222"
target = "raspberry-pi-4"
tags = ["kitchen"]

[boards.roof]
target = "ours/roof.toml"
tags = ["outside"]
home = "/data/edgenet"
python = "/opt/python/bin/python3"

[boards.garage-1]
tags = ["outside", "old"]
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "roof.toml").touch()
    return Fleet.load(written(tmp_path, BOARDS))


def written(folder: Path, text: str) -> Path:
    path = folder / "boards.toml"
    path.write_text(text)
    return path


def test_a_toml_file_is_read_as_it_says(fleet: Fleet, tmp_path: Path) -> None:
    kitchen, _, roof, garage = fleet.boards
    assert kitchen == Board("pi@192.168.7.11", "raspberry-pi-4", "kitchen-1", ("kitchen", "pilot"), 1)
    assert (roof.device, roof.home, roof.python) == ("roof", "/data/edgenet", "/opt/python/bin/python3")
    assert garage.device == "garage-1"
    assert roof.target == str(tmp_path / "ours" / "roof.toml"), (
        "a file is found from the folder of the fleet's"
    )


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ([], ["kitchen-1", "kitchen-2", "roof", "garage-1"]),
        (["kitchen-1"], ["kitchen-1"]),
        (["*-1"], ["kitchen-1", "garage-1"]),
        (["tag=kitchen", "tag=old"], ["kitchen-1", "kitchen-2", "garage-1"]),
        (["tag=outside", "!garage-1"], ["roof"]),
        (["!tag=old"], ["kitchen-1", "kitchen-2", "roof"]),
        (["tag=outside,*-1"], ["garage-1"]),
        (["target=raspberry-pi-?", "!tag=pilot"], ["kitchen-2"]),
        (["target=roof"], ["roof"]),
        (["device=pi@192.168.7.*"], ["kitchen-1", "kitchen-2"]),
    ],
)
def test_limits_add_within_a_key_and_narrow_across_keys(
    fleet: Fleet, limits: list[str], names: list[str]
) -> None:
    assert [str(board) for board in fleet.limited(*limits).boards] == names


@pytest.mark.parametrize(
    ("limit", "what", "remedy"),
    [
        ("tag=kithcen", "no board has tag 'kithcen'", "did you mean kitchen?"),
        ("kitchen", "no board has name 'kitchen'", "did you mean tag=kitchen?"),
        ("!rooof", "no board has name 'rooof'", "did you mean roof?"),
        ("tags=kitchen", "'tags=kitchen' is no limit", "did you mean tag?"),
        ("", "'' is no limit", "write one as NAME, tag=…, target=…, device=…"),
        (" , ", "'' is no limit", "write one as NAME, tag=…, target=…, device=…"),
        ("tag=", "'tag=' is no limit", "write one as NAME, tag=…, target=…, device=…"),
        (
            "tag=kitchen,tag=outside,!*",
            "no board is all of",
            "leave out a limit: those of different keys must all hold",
        ),
        (
            "tag=kitchen,target=roof",
            "no board is all of tag=kitchen target=roof",
            "leave out a limit: those of different keys must all hold",
        ),
    ],
)
def test_a_limit_that_means_nothing_is_an_error_with_the_nearest(
    fleet: Fleet, limit: str, what: str, remedy: str
) -> None:
    with pytest.raises(LibraryError) as error:
        fleet.limited(limit)
    assert what in error.value.what
    assert error.value.remedy == remedy


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[boards.a]\ndevice = "pi@x"\n[boards.b]\ndevice = "pi@x"\n', "a and b are both pi@x"),
        ("[boards.a]\ncanary = 0\n", "canary 0 is no place in an order"),
        ('[boards.a]\ntarget = "raspbery-pi-4"\n', "boards.toml: a: there is no target 'raspbery-pi-4'"),
        ('[boards.a]\ntarget = "ours.toml"\n', "ours.toml: no such target file"),
        ('[boards.a]\nhome = "edgenet"\n', "is not the full path"),
        ('[boards.a]\ntag = ["x"]\n', "does not know 'tag'"),
        ('[boards.a]\ndevice = ""\n', "boards.toml: a: device '' is no address"),
        ('[boards.a]\ndevice = "pi@a:99999"\n', "a: device 'pi@a:99999' is no address"),
        ('[boards."a b"]\n', "a b: device 'a b' is no address"),
        ('[boards.a]\ncanary = "1"\n', "canary = '1' is not an int"),
        ("[boards]\n", "there are no boards in it"),
        ("[boards]\na = 1\n", "boards.a is not a table"),
        ("[kitchen]\nkitchen-1 ansible_host=192.168.7.11\n", "not a readable TOML file"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(LibraryError, match=what):
        Fleet.load(written(tmp_path, text))


def test_one_address_with_two_homes_is_two_boards() -> None:
    assert len(Fleet.of(Board("local", name="a", home="/a"), Board("local", name="b", home="/b")).boards) == 2
    with pytest.raises(LibraryError, match="local is in it twice"):
        Fleet.of("local", "local")


class TestAnsible:
    """``tests/inventories``: what ansible-inventory (core 2.19.14) printed of the files beside it."""

    @pytest.mark.parametrize("name", ["ini.json", "ini.export.json"])
    def test_an_ini_inventory_is_read_with_and_without_export(self, name: str) -> None:
        fleet = Fleet.load(DATA / name)
        pi = {"target": "raspberry-pi-4", "python": "/usr/bin/python3"}
        assert fleet.boards == (
            Board("pi@192.168.7.11", name="kitchen-1", tags=("kitchen", "raspberry"), **pi),
            Board("pi@192.168.7.12:2222", name="kitchen-2", tags=("kitchen", "raspberry"), canary=1, **pi),
            Board("pi@fe80::1", name="garage-1", tags=("garage", "raspberry"), **pi),
            Board("local", name="desk", tags=("garage", "raspberry"), home="~/desk-edgenet", **pi),
            Board(
                "orin.example.net",
                "jetson-orin-nano",
                "orin.example.net",
                ("jetsons",),
                ssh_options=(
                    "-i", "~/.ssh/jetson",
                    "-o", "ProxyJump=bastion.example.net",
                    "-o", "UserKnownHostsFile=/etc/fleet/known_hosts",
                ),
            ),
        )  # fmt: skip
        assert fleet.notes == (
            "orin.example.net: StrictHostKeyChecking=no is left out: edgenet always has ssh check host keys",
        )

    def test_a_yaml_inventory_with_groups_of_groups_is_read(self) -> None:
        fleet = Fleet.load(DATA / "yaml.json")
        assert [(str(board), board.device, board.tags, board.canary) for board in fleet.boards] == [
            ("loose", "pi@10.0.0.9", (), None),
            ("kitchen-1", "pi@192.168.7.11:2222", ("kitchen", "site_a", "pilot", "line 2"), 2),
            ("roof-1", "board@192.168.8.11", ("site_b",), None),
            ("roof-2", "pi@roof-2", ("site_b",), None),
        ]
        assert fleet.boards[0].home == "/data/edgenet"
        assert fleet.notes == (
            "roof-1: its password is not used: ssh asks for it, or takes a key",
            "switch-1: its connection is ansible.netcommon.network_cli, not ssh: it is no board here",
        )

    def test_a_template_is_refused_by_its_name(self) -> None:
        with pytest.raises(
            LibraryError, match=r"roof-1: ansible_user = '\{\{ board_user \}\}' is a template"
        ):
            inventory({"roof-1": {"ansible_user": "{{ board_user }}"}})
        assert inventory({"localhost": LOCALHOST})[0][0].python == ""

    def test_groups_within_themselves_are_refused(self) -> None:
        text = json.dumps({"a": {"children": ["b"], "hosts": ["h"]}, "b": {"children": ["a"]}})
        with pytest.raises(LibraryError, match="group b is within itself"):
            read_inventory(text, "i.json")

    @pytest.mark.parametrize(
        ("args", "options", "notes"),
        [
            ("-J me@jump:22 -p2222", ["-J", "me@jump:22", "-p", "2222"], []),
            ("-4Ci '~/a key'", ["-4", "-C", "-i", "~/a key"], []),
            ("-o 'HostKeyAlias kitchen'", ["-o", "HostKeyAlias=kitchen"], []),
            ("-o StrictHostKeyChecking=yes", ["-o", "StrictHostKeyChecking=yes"], []),
            ("-o stricthostkeychecking=accept-new", [], ["stricthostkeychecking=accept-new is left out"]),
            ("-o UserKnownHostsFile=/dev/null", [], ["UserKnownHostsFile=/dev/null is left out"]),
            ("-o ControlMaster=auto -A", [], ["ControlMaster is not used", "-A is not used"]),
            ("-L 80", [], ["-L 80 is not used"]),
        ],
    )
    def test_words_for_ssh_are_taken_over_where_they_name_something(
        self, args: str, options: list[str], notes: list[str]
    ) -> None:
        boards, told = inventory({"h": {"ansible_ssh_extra_args": args}})
        assert list(boards[0].ssh_options) == options
        assert [note.partition(": ")[2].partition(":")[0] for note in told] == notes

    @pytest.mark.parametrize(
        "args",
        [
            "-o ProxyCommand='nc %h %p'",
            "-oproxycommand=sh",
            "-4o 'ProxyCommand sh'",
            "-o KnownHostsCommand=/bin/sh",
            "-F /tmp/config",
            "-I /tmp/lib.so",
            "-o PKCS11Provider=/tmp/lib.so",
            "-o 'ProxyCommand=sh'",
            "-o ' ProxyCommand = sh'",
        ],
    )
    def test_what_runs_a_program_is_refused(self, args: str) -> None:
        with pytest.raises(LibraryError, match="has ssh run or load something") as error:
            inventory({"h": {"ansible_ssh_common_args": args}})
        assert "ssh config" in error.value.remedy

    @pytest.mark.parametrize(
        ("values", "what"),
        [
            ({"ansible_port": 70000}, "h: ansible_port = '70000' is no number from 1 to 65535"),
            ({"ansible_host": {"__ansible_vault": "x"}}, "h: ansible_host is not text"),
            ({"edgenet_taget": "x"}, "does not know 'edgenet_taget'"),
            ({"edgenet_canary": "first"}, "edgenet_canary = 'first' is no number"),
            ({"edgenet_tags": [1]}, "edgenet_tags holds what is not text"),
            ({"edgenet_home": "here"}, "home 'here' is not the full path"),
            ({"ansible_ssh_extra_args": "-o 'x"}, "cannot be read"),
            ({"ansible_ssh_extra_args": "-i"}, "-i has no value"),
            ({"ansible_ssh_extra_args": "host"}, "'host' is no option of ssh"),
            ({"ansible_ssh_extra_args": "-J '$(id)'"}, "'$(id)' names no jump hosts"),
            ({"ansible_user": "a\nb"}, "characters that are no text"),
        ],
    )
    def test_a_value_that_cannot_be_used_is_named_with_its_host(
        self, values: dict[str, Any], what: str
    ) -> None:
        with pytest.raises(LibraryError) as error:
            inventory({"h": values})
        assert what in error.value.what

    def test_an_interpreter_that_is_no_file_there_is_left_to_edgenet(self) -> None:
        boards, notes = inventory({"h": {"ansible_python_interpreter": "/usr/bin/env python3"}})
        assert boards[0].python == ""
        assert "is no full path" in notes[0]

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from([*"abh", "_meta", "hostvars", "hosts", "children", "vars"]), inner
                )
            ),
            max_leaves=12,
        )
    )
    def test_whatever_the_file_holds_only_named_errors_come_out(self, value: Any) -> None:
        with contextlib.suppress(LibraryError):
            boards, _ = read_inventory(json.dumps(value if isinstance(value, dict) else [value]), "i.json")
            assert all(str(board) for board in boards)


LOCALHOST = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def inventory(hostvars: dict[str, Any]) -> tuple[tuple[Board, ...], tuple[str, ...]]:
    table = {"_meta": {"hostvars": hostvars}, "all": {"children": ["ungrouped"]}}
    return read_inventory(json.dumps({**table, "ungrouped": {"hosts": list(hostvars)}}), "i.json")
