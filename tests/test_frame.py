"""A camera's frame as a user writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.errors import DataError, EdgenetError
from edgenet.frame import FORMS, Frame


@pytest.mark.parametrize(
    ("text", "frame", "words"),
    [
        ("640x480", Frame(640, 480), "jpeg 640x480"),
        ("641x479:jpeg", Frame(641, 479), "jpeg 641x479"),
        ("1280x720:yuyv", Frame(1280, 720, "yuyv"), "yuyv 1280x720"),
        ("1920x1080:rgb", Frame(1920, 1080, "rgb"), "rgb 1920x1080"),
        ("16x16:nv12", Frame(16, 16, "nv12"), "nv12 16x16"),
        ("8192x8192", Frame(8192, 8192), "jpeg 8192x8192"),
    ],
)
def test_read(text: str, frame: Frame, words: str) -> None:
    assert Frame.parse(text) == frame
    assert str(frame) == words


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no frame: '': write it as 640x480 or 640x480:yuyv"),
        ("640", "no frame: '640'"),
        ("640x480x3", "no frame"),
        ("-640x480", "no frame"),
        ("640x480 :yuyv", "no frame"),
        ("６４０x480", "no frame"),
        ("640x480:", "no form of a frame: '': the forms are jpeg, yuyv, rgb, yuv420, nv12"),
        ("640x480:yuvy", "no form of a frame: 'yuvy': did you mean yuyv?"),
        ("640x480:MJPG", "no form of a frame: 'MJPG': did you mean jpeg?"),
        ("640x480:tiff16", "the forms are jpeg"),
        ("15x480", "a frame of 15x480: a side has 16 to 8192 pixels: give a camera's size"),
        ("640x8193", "a side has 16 to 8192 pixels"),
        ("0x0", "a side has 16 to 8192 pixels"),
        (
            "641x480:yuyv",
            "a yuyv frame of 641x480: two pixels share a color, so its width is even: give 640x480",
        ),
        ("640x481:nv12", "its height is even: give 640x480"),
        ("641x481:yuv420", "its width is even: give 640x480"),
        (
            "3840x2160:yuyv",
            "a yuyv frame of 3840x2160 has 16.6 MB, and at most 8.4 MB are sent to a board at once",
        ),
    ],
)
def test_refused(text: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        Frame.parse(text)
    assert told in str(caught.value)


def test_what_a_message_holds_is_the_largest_raw_frame() -> None:
    assert Frame(2048, 2048, "yuyv").form == "yuyv"
    with pytest.raises(DataError, match="8.4 MB are sent"):
        Frame(2048, 2050, "yuyv")


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{1,7}x[0-9]{1,7}(:[a-z0-9]{0,8})?", fullmatch=True))
def test_any_text_is_a_frame_or_refused_in_a_line(text: str) -> None:
    try:
        frame = Frame.parse(text)
    except EdgenetError as error:
        told = error
    else:
        assert frame.form in FORMS
        assert Frame.parse(f"{frame.width}x{frame.height}:{frame.form}") == frame
        return
    assert "\n" not in str(told)
    assert told.remedy
