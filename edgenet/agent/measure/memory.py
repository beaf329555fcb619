"""Memory of this process, in MB (1e6 bytes)."""

import sys


def rss_mb(path="/proc/self/status"):
    """Resident set now; ``None`` where the system does not tell."""
    return _field(path, "VmRSS:")


def peak_mb(path="/proc/self/status"):
    """Highest resident set so far; ``None`` where the system does not tell."""
    found = _field(path, "VmHWM:")
    if found is None:
        found = _rusage_peak()
    return found


def page_faults():
    """How often this process waited for a page from storage so far; ``None`` where that is not told."""
    usage = _usage()
    return usage.ru_majflt if usage else None


def growth(before, after):
    """``after - before`` in MB, rounded, not below zero; ``None`` where either is unknown."""
    if before is None or after is None:
        return None
    return round(max(after - before, 0.0), 3)


def _field(path, name):
    try:
        with open(path) as stream:
            for line in stream:
                if line.startswith(name):
                    return int(line.split()[1]) * 1024 / 1e6
    except (OSError, ValueError, IndexError):
        pass
    return None


def _rusage_peak():
    usage, unit = _usage(), 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit / 1e6 if usage else None


def _usage():
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF)
