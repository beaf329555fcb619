"""How small a picture may be that still holds every pixel the models see."""

from ... import geometry

# Where no model says more.
SIZE = (640, 480)
USUAL = {"size": SIZE[::-1], "resize": geometry.STRETCH}
MOST = 4096


def covers(size, specs):
    """Whether no model of these preprocessings has a picture of (width, height) enlarged, or refuses it."""
    return all(geometry.covers(size[1], size[0], spec) for spec in specs or [USUAL])


def smallest(specs, shape, step=2, most=(MOST, MOST)):
    """The smallest (width, height) that covers, for sources that make any.

    Args:
        specs: Preprocessing of the models.
        shape: (width, height) of any picture of the same aspect ratio.
        step: The width is a multiple of it; the height is even.
        most: No larger than this; the largest of this shape where none covers.
    """
    largest = most
    for spec in specs:
        if spec["resize"] == geometry.NONE:
            return tuple(spec["size"][::-1])
    for width in range(step, most[0] + 1, step):
        size = width, max(2, int(round(width * shape[1] / float(shape[0]) / 2)) * 2)
        if size[1] > most[1]:
            break
        largest = size
        if covers(size, specs):
            break
    return largest
