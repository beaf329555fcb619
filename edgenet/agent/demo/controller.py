"""What the page and the terminal see of a running demo, and what they may do to it."""

import pkgutil
import threading
import time
from typing import Any

from ..facts import sensors
from ..failure import Failure
from ..measure import memory
from . import gallery, metrics, own
from .keeping import Keeper, encoded
from .pipeline import MODES
from .sources import offers

SENSORS_S = 1.0
# Answers between two ticks, or boxes in them, which one message holds.
MAX_LOGGED = 5000


class DemoController(object):
    """One running demo.

    Args:
        pipeline, source, models: As they run; the source is a ``Switch``.
        host: Called with ``save`` events.
        order: The host's: ``log``, ``keep``, ``gallery``, ``source``, ``others``.
        second: The model of a chain that looks at what the only other one finds, or ``None``.

    Attributes:
        page: The page's bytes.
        over: Set when the demo ends.
    """

    def __init__(self, pipeline, source, models, host, order, second=None):
        self._second, self._order = second, order
        self.pipeline, self._source, self._models = pipeline, source, models
        self.page = pkgutil.get_data(__package__, "page/page.html")
        self.over = threading.Event()
        self._began = self._paused_at = time.perf_counter()
        self._paused = 0.0
        self._keeper = Keeper(pipeline, models, host, str(order.get("keep") or ""), self.over)
        self._own = own.OwnPictures(pipeline, models, second is not None)
        self._reading = sensors.read()
        self._answers: Any = []
        if order.get("log"):
            pipeline.log = self._log
        thread = threading.Thread(target=self._sense, name="sense")
        thread.daemon = True
        thread.start()

    def close(self):
        """The demo ends."""
        self.over.set()

    def source(self):
        """The source in words: ``name``, ``size``, ``fps``, and a ``note`` where people should know more."""
        return {
            "name": self._source.name,
            "size": self._source.options.get("size"),
            "fps": self._source.fps,
            "note": self._source.note or None,
            "id": offers.key(self._source.order),
        }

    def sizes(self, frame):
        """What each stage saw last, (width, height): ``camera`` and its ``format``, ``models``, ``page``."""
        return {
            "camera": frame and frame.size,
            "format": frame and frame.kind,
            "models": [model.spec["size"][::-1] for model in self._models],
            "page": self.pipeline.figures.page,
        }

    # -- what is seen

    def state(self):
        """All that the page shows, JSON-ready."""
        found = self.pipeline.figures.now()
        passage = self.pipeline.last()
        found.update(
            frame=None if passage is None else passage.frame.number,
            agree=None if passage is None else passage.agree(),
            models=self._said(passage),
            chain=self._second is not None,
            mode=self.pipeline.mode,
            paused=self.pipeline.paused,
            recording=self._keeper.collecting,
            collecting=self._keeper.told(),
            saved=dict(self._keeper.saved),
            viewers=self.pipeline.view.viewers,
            trouble=self.pipeline.trouble,
            seconds=round(self._seconds(), 1),
            source=self.source(),
            sizes=self.sizes(None if passage is None else passage.frame),
            dropped=self.pipeline.dropped(),
            counts=dict(self.pipeline.figures.counts),
            age_p99_ms=_milli(self.pipeline.figures.age[0].percentile(0.99)),
            board=self._board(),
        )
        if passage is not None:
            passage.frame.drop()
        return found

    def _said(self, passage):
        """What each model says of a frame, a chain's second one too."""
        tops = [] if passage is None else passage.tops
        return [
            dict(
                model.about,
                top=tops[index] if tops else None,
                boxes=passage.boxes[index] if tops else None,
                invoke_ms=_ms(passage.raw[index]) if tops else None,
            )
            for index, model in enumerate(self._models)
        ] + self._at_the_end(passage)

    def _at_the_end(self, passage):
        """What a chain's second model says of the first object."""
        if self._second is None:
            return []
        then = self.pipeline.figures.parts["then"][1].mean
        top = None if passage is None else passage.second
        return [dict(self._second.about, top=top, boxes=None, invoke_ms=_milli(then))]

    def _board(self):
        reading = self._reading
        names = ("temperature_c", "throttled_now", "memory_available_mb", "power_w", "load_1m", "cpu_mhz")
        found = {name: reading.get(name) for name in names}
        used = [memory.rss_mb()] + [model.memory_mb() for model in self._every()]
        found["memory_mb"] = round(sum(used), 1) if None not in used else None
        found["absent"] = reading["absent"]
        return found

    def answers(self):
        """Every answer since the last call, where they are logged."""
        found, self._answers = self._answers, []
        return found

    def _log(self, passage):
        if sum(map(_room, self._answers)) < MAX_LOGGED:
            answer = {
                "frame": passage.frame.number,
                "age_ms": _milli(passage.age()),
            }
            answer["tops"] = [top and top[:1] for top in passage.tops]
            if any(boxes is not None for boxes in passage.boxes):
                answer["boxes"] = passage.boxes
            self._answers.append(answer)

    def metrics(self):
        """The same figures for Prometheus."""
        return metrics.text(self.state(), self.pipeline.figures)

    def summary(self):
        """The whole run."""
        found = self.pipeline.figures.summary(self._seconds())
        found["frames"]["dropped"] = self.pipeline.dropped()
        found.update(
            source=self.source(),
            models=[model.about for model in self._every()],
            saved=dict(self._keeper.saved),
        )
        found["sizes"] = self._with_last(lambda passage: self.sizes(passage.frame)) or self.sizes(None)
        found["board"] = self._board()
        return found

    def _every(self):
        """All models, that of a chain's end too."""
        return list(self._models) + ([self._second] if self._second is not None else [])

    def _seconds(self):
        """How long it ran, pauses not counted."""
        now = self._paused_at if self.pipeline.paused else time.perf_counter()
        return max(now - self._began - self._paused, 0.0)

    def picture(self):
        """The newest answered picture as ``(number, bytes, format)``, or ``None``."""
        return self._with_last(
            lambda passage: (
                (passage.frame.number,)
                + encoded(passage.frame.large or passage.frame, self._models[0].spec, False)
            )
        )

    def _with_last(self, work):
        passage = self.pipeline.last()
        if passage is None:
            return None
        try:
            return work(passage)
        finally:
            passage.frame.drop()

    def clip(self):
        """The last seconds of the page's pictures: ``(seconds, pieces of an AVI file)``, or ``None``."""
        return self.pipeline.view.clip.video()

    def thumbnail(self, index):
        """A small picture of the gallery as ``(bytes, format)``, or ``None`` where there is no such one."""
        named = self._order.get("gallery") or []
        return gallery.thumbnail(named[index][1]) if 0 <= index < len(named) else None

    def sources(self):
        """What can be looked at: ``offers`` of ``id`` and ``name``, and what is ``lacking`` with ``why``."""
        offered, lacking = offers.offers(self._given())
        return {
            "offers": [{"id": key, "name": name} for key, name, _ in offered],
            "lacking": [{"name": name, "why": why} for name, why in lacking],
        }

    def _given(self):
        return [self._order["source"]] + list(self._order.get("others") or [])

    # -- what may be done

    def look_at(self, body):
        """What the models say of a viewer's own picture, JSON-ready: ``models``, ``agree``, and its facts.

        Raises:
            body.Refused: It cannot be answered.
        """
        passage, seconds = self._own.answer(body)
        found = own.facts(passage, seconds, self._models[0].spec)
        return dict(found, models=self._said(passage), agree=passage.agree())

    def _choose(self, wanted):
        for key, _, order in offers.offers(self._given())[0]:
            if key == wanted:
                self._source.choose(order)
                return
        raise Failure("source", "the board has no such source any more", "choose another")

    def act(self, name, values):
        """Do what a button says; returns what the page is answered.

        Raises:
            ValueError: There is no such button, or the value is wrong.
        """
        if name == "pause":
            self._pause(bool(values["on"]))
        elif name == "mode":
            if values["mode"] not in MODES[: 1 if len(self._models) == 1 else 3]:
                raise ValueError("no such model")
            self.pipeline.mode = values["mode"]
        elif name == "record":
            self._keeper.collect(bool(values["on"]))
        elif name == "source":
            self._choose(values["id"])
        elif name == "snapshot":
            return {"name": self._with_last(lambda passage: self._keeper.save("snapshot", passage))}
        elif name == "link":
            return {"link": True}
        else:
            raise ValueError("no such button")
        return {}

    def _pause(self, wanted):
        if wanted and not self.pipeline.paused:
            self._paused_at = time.perf_counter()
        elif self.pipeline.paused and not wanted:
            self._paused += time.perf_counter() - self._paused_at
        self.pipeline.paused = wanted

    def _sense(self):
        while not self.over.wait(SENSORS_S):
            self._reading = sensors.read()


def _room(answer):
    """Answers or boxes that a message has room for."""
    return 1 + sum(len(boxes or ()) for boxes in answer.get("boxes", ()))


def _ms(raw):
    return None if raw is None else _milli(raw[1])


def _milli(seconds):
    return None if seconds is None else round(seconds * 1e3, 3)
