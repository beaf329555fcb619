"""The demo's figures in constant memory: percentiles of the whole run, rates and means of the last second."""

import math
import time

# Half a percent either way: each bucket is one percent wider than the one before.
_RATIO = math.log(1.01)
_LEAST = 1e-6
_BUCKETS = int(math.log(1e8) / _RATIO) + 2
PARTS = ("capture", "wait", "pre", "invoke", "post", "encode")


class Spread(object):
    """How durations (seconds) spread: count, sum, largest, percentiles within half a percent."""

    def __init__(self):
        self._buckets = [0] * _BUCKETS
        self.count, self.total, self.most = 0, 0.0, 0.0

    def add(self, seconds):
        """Count one."""
        index = int(math.log(seconds / _LEAST) / _RATIO) + 1 if seconds > _LEAST else 0
        self._buckets[min(index, _BUCKETS - 1)] += 1
        self.count += 1
        self.total += seconds
        self.most = max(self.most, seconds)

    def percentile(self, share):
        """The duration that ``share`` (0 to 1) of them do not exceed, seconds; ``None`` without any."""
        if not self.count:
            return None
        left = max(1, int(math.ceil(share * self.count)))
        for index, count in enumerate(self._buckets):
            left -= count
            if left <= 0:
                return min(_LEAST * math.exp((index - 0.5) * _RATIO), self.most) if index else _LEAST
        return self.most

    def summary(self):
        """``{"p50", "p99", "mean", "max", "count"}``, ms; only the count where there is none."""
        if not self.count:
            return {"count": 0}
        values = (self.percentile(0.5), self.percentile(0.99), self.total / self.count, self.most)
        found = {name: round(value * 1e3, 4) for name, value in zip(("p50", "p99", "mean", "max"), values)}
        found["count"] = self.count
        return found


class Recent(object):
    """Rate and mean over the last second or so: two half-filled windows, swapped."""

    def __init__(self, seconds=1.0, clock=time.perf_counter):
        self._seconds, self._clock = seconds, clock
        self._begin, self._count, self._total = clock(), 0, 0.0
        self._rate, self._mean = 0.0, 0.0

    def add(self, value=0.0):
        """Count one thing of this value."""
        self._turn()
        self._count += 1
        self._total += value

    def _turn(self):
        passed = self._clock() - self._begin
        if passed >= self._seconds:
            self._rate = self._count / passed
            self._mean = self._total / self._count if self._count else self._mean
            self._begin, self._count, self._total = self._clock(), 0, 0.0

    @property
    def rate(self):
        """Things a second."""
        self._turn()
        return self._rate

    @property
    def mean(self):
        """The mean value."""
        self._turn()
        return self._mean


class Figures(object):
    """All that a run of the demo counts.

    Args:
        more: Parts beside those that every demo has.

    Attributes:
        page: (width, height) of the picture that the page was given last, where it is known.
    """

    def __init__(self, more=()):
        self.parts = {name: (Spread(), Recent()) for name in PARTS + tuple(more)}
        self.age = (Spread(), Recent())
        self.captured, self.answered, self.shown = Recent(), Recent(), Recent()
        self.counts = {"captured": 0, "answered": 0, "damaged": 0, "lost": 0, "compared": 0, "disagreed": 0}
        self.labels = {}
        self.page = None

    def part(self, name, seconds):
        """One frame spent this long in a part of the pipeline."""
        for figure in self.parts[name]:
            figure.add(seconds)

    def label(self, name):
        """One frame was given this label."""
        if name in self.labels or len(self.labels) < 1000:
            self.labels[name] = self.labels.get(name, 0) + 1

    def now(self):
        """FPS, the budget of a frame and its age, means of the last second; ms."""
        return {
            "fps": {
                "source": round(self.captured.rate, 2),
                "camera": round(self.answered.rate, 2),
                "view": round(self.shown.rate, 2),
            },
            "budget_ms": {name: round(recent.mean * 1e3, 3) for name, (_, recent) in self.parts.items()},
            "age_ms": round(self.age[1].mean * 1e3, 3),
        }

    def summary(self, seconds):
        """The whole run of so many seconds that were not paused."""
        counts = self.counts
        return {
            "seconds": round(seconds, 3),
            "fps": {
                "camera": round(counts["answered"] / seconds, 3) if seconds else None,
                "source": round(counts["captured"] / seconds, 3) if seconds else None,
            },
            "frames": dict(counts),
            "stages_ms": {name: spread.summary() for name, (spread, _) in self.parts.items()},
            "glass_to_label_ms": self.age[0].summary(),
            "labels": dict(sorted(self.labels.items(), key=lambda item: -item[1])),
        }
