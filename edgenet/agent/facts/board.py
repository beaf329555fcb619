"""Facts that lie in files: the same code reads this board and, in tests, the recorded tree of another."""

import os
import re

from . import cpu, files, nvidia, sensors

_CAMERA_PROGRAMS = ("rpicam-vid", "libcamera-vid", "gst-launch-1.0", "ffmpeg")
# Video devices that are no camera by themselves: codecs, scalers, and sensors that only libcamera can drive.
_NO_CAMERA = ("bcm2835", "rpivid", "rpi-hevc", "pispbe", "rp1-cfe", "unicam", "vi-output", "nvcsi")
# NVIDIA's modules; the device tree names carrier and module: "nvidia,p3449-0000-b00+p3448-0000-b00".
_MODULE = re.compile(r"p(?:3448|3636|3668|3701|3767|3834|3489|2888)-\d{4}")


def facts(root, run):
    """Everything of the board that files and small programs tell; unknown is ``None`` or an empty list.

    Args:
        root: Where ``proc``, ``sys``, ``etc``, ``usr``, ``var`` and ``dev`` lie.
        run: Runs a command (a list) and returns what it printed; raises OSError or ValueError.
    """
    found = {
        "board": files.text_or_none(root, "proc/device-tree/model"),
        "compatible": compatible(root),
        "os": os_name(root),
        "memory_mb": memory_mb(root, "MemTotal"),
        "memory_available_mb": memory_mb(root, "MemAvailable"),
        "swap_mb": memory_mb(root, "SwapTotal"),
        "uptime_s": uptime(root),
        "emulated": os.path.exists(os.path.join(root, "etc/edgenet-pi-emulated")),
        "cameras": cameras(root),
        "camera_programs": camera_programs(root),
        "sources": sources(root),
    }
    found.update(cpu.facts(root))
    found.update(nvidia.facts(root, run))
    found["module"] = module(found["compatible"])
    found.update(readings(root, run))
    return found


def readings(root, run):
    """One reading of the sensors as facts; ``absent`` says why what is ``None`` cannot be read."""
    reading = sensors.read(root, run)
    names = (
        "governor",
        "temperature_c",
        "throttled",
        "throttled_now",
        "throttle_events",
        "power_w",
        "power_source",
    )
    found = {name: reading.get(name) for name in names}
    bits = reading.get("throttled")
    found["throttled_since_boot"] = None if bits is None else sensors.throttle_names(bits & 0xF0000)
    found["absent"] = reading["absent"]
    return found


def compatible(root):
    """The device tree's names for this board, from the exact one to the chip."""
    names = (files.text_or_none(root, "proc/device-tree/compatible") or "").replace("\n", "\0").split("\0")
    return [name for name in names if name]


def module(names):
    """The identifier of a Jetson module such as "p3767-0005", or ``None``."""
    for name in names:
        found = _MODULE.findall(name)
        if found:
            return found[-1]
    return None


def os_name(root):
    """The system's own name for itself, or ``None``."""
    return files.fields(root, "etc/os-release", "=").get("PRETTY_NAME", "").strip('"') or None


def memory_mb(root, name):
    """A line of /proc/meminfo, MB of 1e6 bytes, or ``None``."""
    words = files.fields(root, "proc/meminfo").get(name, "").split()
    return round(int(words[0]) * 1024 / 1e6, 1) if words and words[0].isdigit() else None


def uptime(root):
    """Seconds since boot, or ``None``."""
    words = (files.text_or_none(root, "proc/uptime") or "").split()
    return float(words[0]) if words else None


def cameras(root):
    """The video devices, each with the name its driver gives it: "video0 imx708"."""
    found = []
    for path in files.find(root, "dev/video*"):
        node = os.path.basename(path)
        name = files.text_or_none(root, "sys/class/video4linux", node, "name")
        found.append("{} {}".format(node, name) if name else node)
    return found


def camera_programs(root):
    """What could read a camera here: programs, and picamera2 where a Python of the system has it."""
    found = [name for name in _CAMERA_PROGRAMS if files.program(root, name)]
    if files.find(root, "usr/lib/python3*/dist-packages/picamera2"):
        found.insert(0, "picamera2")
    return found


def sources(root):
    """What ``edgenet demo --source`` finds here: cameras, the likeliest first; "video", "rtsp" if decoded."""
    programs = camera_programs(root)
    found = [name for name in ("picamera2",) if name in programs]
    if "rpicam-vid" in programs or "libcamera-vid" in programs:
        found.append("rpicam")
    if "gst-launch-1.0" in programs and os.path.exists(os.path.join(root, "etc/nv_tegra_release")):
        found.append("jetson")
    for camera in cameras(root):
        node, _, name = camera.partition(" ")
        if not name.startswith(_NO_CAMERA):
            found.append("/dev/" + node)
    decoded = "ffmpeg" in programs or "gst-launch-1.0" in programs
    return found + (["video", "rtsp"] if decoded else [])
