"""What a user names as a source: understood or refused in one line, without its password."""

from __future__ import annotations

import pytest

from edgenet.errors import DataError
from edgenet.live.source import source_order


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("rtsp://user:p%40ss@host:554/x?pwd=y", "rtsp://user:p%40ss@host:554/x?pwd=y"),
        ("RTSP://User:Pass@Host/X", "rtsp://User:Pass@Host/X"),
        ("https://[::1]:8080/video", "https://[::1]:8080/video"),
        ("rtsp://user:p@ss@host/x", "rtsp://user:p@ss@host/x"),
    ],
)
def test_an_address_goes_to_the_board_as_it_is(text: str, address: str) -> None:
    order = source_order(text, "board")
    assert order.order == {"kind": "address", "address": address, "size": None, "fps": None, "loop": False}


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://user:sec/ret@host/x",
        "rtsp://user:sec#ret@host/x",
        "rtsp://user:sec?ret@host/x",
        "http://user:secret@host:port/x",
        "http://user:secret@host:99999/x",
        "http://user:secret@/x",
        "http://user:secret@[::1/x",
        "rtsp://user:sec\nret@host/x",
        "rtsp://user:sec'\nfile '/etc/ret@host/x",
        "rtmp://user:secret@host/x",
        "ftp://host/x?password=secret",
        "rtsp:///x?password=secret",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(DataError) as caught:
        source_order(text, "board")
    said = f"{caught.value.what} {caught.value.remedy}"
    assert "ret@" not in said
    assert "sec" not in said
    assert "***" in said
