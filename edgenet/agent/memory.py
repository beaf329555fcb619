"""Resident memory of this process, in MB (1e6 bytes)."""


def rss_mb(path="/proc/self/status"):
    """Resident set now; ``None`` where the system does not tell."""
    return _field(path, "VmRSS:")


def peak_mb(path="/proc/self/status"):
    """Highest resident set so far; ``None`` where the system does not tell."""
    found = _field(path, "VmHWM:")
    if found is None:
        found = _rusage_peak()
    return found


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
    try:
        import resource
        import sys
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
