"""What the models' raw outputs say of a frame, and what a chain's second model says of the objects in it."""

from ..tasks import TOP
from .chain import named
from .pixels import oriented, rgb


def read(passage, models):
    """The best answers and the boxes of each model that was asked, in the passage."""
    passage.tops = [(raw and model.top(raw[0])) or None for model, raw in zip(models, passage.raw)]
    passage.boxes = [
        raw and model.boxes(raw[0], passage.frame.seen) for model, raw in zip(models, passage.raw)
    ]
    passage.told = [
        model.told(raw[0], top) if top else None for model, raw, top in zip(models, passage.raw, passage.tops)
    ]


def timed_look(passage, chain, spec, part, clock):
    """As :func:`look`, where there is a chain; the seconds that it took, exactly 0 without one."""
    if chain is None:
        return 0.0
    began = clock()
    look(passage, chain, spec, part)
    return clock() - began


def look(passage, chain, spec, part):
    """Have the second model of a chain look at what was found.

    Args:
        passage: As :func:`read` left it.
        chain: The two models.
        spec: The first one's preprocessing.
        part: Called with the name and the seconds of what it takes.
    """
    boxes = passage.boxes[0] if passage.boxes else None
    if not boxes:
        return
    try:
        image = oriented(rgb(passage.frame), passage.frame, spec)
    except ValueError:
        return  # it was prepared a moment ago; what is damaged has no answer
    answers = chain.look(image, boxes, part)
    passage.boxes[0] = named(boxes, answers)
    names = [top[0][0] if top else box[0] for top, box in zip(answers, boxes)]
    passage.tops[0] = [[name, box[1], at] for at, (name, box) in enumerate(zip(names, boxes))][:TOP]
    passage.second = answers[0]
