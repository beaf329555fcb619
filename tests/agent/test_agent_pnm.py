"""PGM and PPM without any library."""

import numpy as np
import pytest

from edgenet.agent.pnm import decode

MOST = 1 << 16


def test_headers_of_every_writer_are_read():
    for head in (b"P6\n2 1\n255\n", b"P6 2 1 255 ", b"P6\n# GIMP\n2\t1\r\n# two\n255\n"):
        assert decode(head + bytes(range(6)), MOST).tolist() == [[[0, 1, 2], [3, 4, 5]]]
    assert decode(b"P5 2 1 255\n\x07\x09", MOST).tolist() == [[[7, 7, 7], [9, 9, 9]]]


def test_other_peaks_are_scaled_to_the_nearest():
    values = np.array([0, 1, 128, 129, 4095, 65535], ">u2")
    head = b"P5 6 1 65535\n"
    assert decode(head + values.tobytes(), MOST)[0, :, 0].tolist() == [0, 0, 0, 1, 16, 255]
    assert decode(b"P5 6 1 4095\n" + values.tobytes(), MOST)[0, :, 0].tolist() == [0, 0, 8, 8, 255, 255]
    assert decode(b"P5 3 1 1\n\x00\x01\x02", MOST)[0, :, 0].tolist() == [0, 255, 255]
    assert decode(b"P6 1 1 15\n\x00\x07\x0f", MOST).tolist() == [[[0, 119, 255]]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"P6", "header"),
        (b"P6 2 1", "header"),
        (b"P6 2 -1 255\n", "header"),
        (b"P6 2 1 255\nshort", "damaged PPM image"),
        (b"P6 2 1 255\nseven..", "damaged PPM image"),
        (b"P6 0 1 255\n", "damaged PPM image"),
        (b"P5 1 1 65536\n\0\0", "damaged PPM image"),
        (b"P5 1 1 0\n\0", "damaged PPM image"),
        (b"P6 50000 50000 255\n", "50000x50000 pixels, more than"),
        (b"P6 99999999 99999999 255\n", "more than"),
        (b"P6 #" + b"x" * 100_000 + b"\n1 1 255\n\0\0\0", "header"),
    ],
)
def test_damaged_files_are_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        decode(data, MOST)
