"""What the board itself can do, measured with numpy: copied bytes and float multiply-adds a second."""

import numpy as np

from .bench import fastest

SECONDS = 0.4
# Far beyond any cache; a matrix product that stays in it.
COPIED, SIDE = 32 * 1024 * 1024, 384


def measure():
    """``{"copy_gb_s", "sgemm_gmac_s"}``: the best of many tries; read and written bytes both count."""
    source, target = np.ones(COPIED, np.uint8), np.zeros(COPIED, np.uint8)
    a = np.ones((SIDE, SIDE), np.float32)
    product = np.zeros_like(a)
    copied = fastest(lambda: np.copyto(target, source), SECONDS)
    multiplied = fastest(lambda: np.dot(a, a, out=product), SECONDS)
    return {"copy_gb_s": 2 * COPIED / copied / 1e6, "sgemm_gmac_s": SIDE**3 / multiplied / 1e6}
