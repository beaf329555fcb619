"""The demo's figures in the text form that Prometheus scrapes (exposition format 0.0.4)."""

from typing import List

_GAUGES = (
    ("edgenet_camera_fps", "Frames answered a second, over the last second.", lambda s: s["fps"]["camera"]),
    ("edgenet_source_fps", "Frames the source gave a second.", lambda s: s["fps"]["source"]),
    ("edgenet_viewers", "Browsers that watch.", lambda s: s["viewers"]),
    (
        "edgenet_memory_bytes",
        "Resident memory of demo and models.",
        lambda s: _bytes(s["board"]["memory_mb"]),
    ),
    ("edgenet_temperature_celsius", "The hottest sensor.", lambda s: s["board"]["temperature_c"]),
    ("edgenet_power_watts", "What the board draws.", lambda s: s["board"]["power_w"]),
    ("edgenet_throttled", "Whether the board throttles now.", lambda s: _flag(s["board"]["throttled_now"])),
)


def text(state, figures):
    """The page of metrics; what the board cannot tell is absent."""
    lines: List[str] = []
    for name, what, value in _GAUGES:
        found = value(state)
        if found is not None:
            _metric(lines, name, "gauge", what, [("", found)])
    totals = [('outcome="{}"'.format(name), count) for name, count in sorted(state["counts"].items())]
    totals.append(('outcome="dropped"', state["dropped"]))
    _metric(lines, "edgenet_frames_total", "counter", "Frames by what became of them.", totals)
    for name, spread in [(name, spread) for name, (spread, _) in figures.parts.items()]:
        _summary(lines, "edgenet_stage_seconds", 'stage="{}",'.format(name), spread)
    _summary(lines, "edgenet_glass_to_label_seconds", "", figures.age[0])
    labels = [('label="{}"'.format(_escaped(name)), count) for name, count in sorted(figures.labels.items())]
    _metric(lines, "edgenet_labels_total", "counter", "Answers of the first model by label.", labels)
    return "\n".join(lines) + "\n"


def _metric(lines, name, kind, what, samples):
    lines.append("# HELP {} {}".format(name, what))
    lines.append("# TYPE {} {}".format(name, kind))
    for labels, value in samples:
        lines.append("{}{} {}".format(name, "{" + labels + "}" if labels else "", value))


def _summary(lines, name, labels, spread):
    header = "# TYPE {} summary".format(name)
    if header not in lines:
        lines.append(header)
    if spread.count:
        for share in (0.5, 0.99):
            quantile = '{}quantile="{}"'.format(labels, share)
            lines.append("{}{{{}}} {:.6g}".format(name, quantile, spread.percentile(share)))
    rest = "{" + labels.rstrip(",") + "}" if labels else ""
    lines.append("{}_sum{} {:.6g}".format(name, rest, spread.total))
    lines.append("{}_count{} {}".format(name, rest, spread.count))


def _escaped(name):
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _bytes(megabytes):
    return None if megabytes is None else int(megabytes * 1e6)


def _flag(names):
    return None if names is None else int(bool(names))
