"""What a Jetson says of its software: L4T, JetPack, CUDA, TensorRT, power mode; nothing is imported."""

import os
import re

from . import files

# L4T release → JetPack; the longest beginning counts.
_JETPACK = {
    "32.6": "4.6",
    "32.7": "4.6.x",
    "32.7.1": "4.6.1",
    "35.1": "5.0.2",
    "35": "5.1.x",
    "36.3": "6.0",
    "36.4": "6.x",
    "36.4.0": "6.1",
    "36.4.3": "6.2",
    "36.4.4": "6.2.1",
    "36.5": "6.2.x",
    "38.2": "7.0",
    "38.4": "7.1",
    "39.2": "7.2",
}
_RELEASE = re.compile(r"R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)")
_MODE = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>")


def facts(root, run):
    """Versions and the power mode; on what is no Jetson most of it is ``None``."""
    release = l4t(root)
    return {
        "l4t": release,
        "jetpack": jetpack(release) if release else None,
        "cuda": cuda(root),
        "tensorrt": tensorrt(root),
        "tensorrt_python": bool(_bindings(root)) if release else None,
        "dla_compiler": bool(files.find(root, *_anywhere("libnvdla_compiler.so*"))) if release else None,
        "power_mode": power_mode(root, run) if release else None,
    }


def l4t(root):
    """The L4T release such as "36.4.3", or ``None`` where this is no Jetson."""
    found = _RELEASE.search(files.text_or_none(root, "etc/nv_tegra_release") or "")
    if found:
        return "{}.{}".format(*found.groups())
    if files.find(root, "var/lib/dpkg/info/nvidia-l4t-core*.list"):
        version = _package_version(root, "nvidia-l4t-core")
        return version and version.partition("-")[0]
    return None


def jetpack(release):
    """The JetPack of an L4T release, or ``None`` where it is not known."""
    parts = release.split(".")
    for length in range(len(parts), 0, -1):
        known = _JETPACK.get(".".join(parts[:length]))
        if known:
            return known
    return None


def cuda(root):
    """The toolkit's version such as "12.6", or ``None``."""
    for name, pattern in (
        ("usr/local/cuda/version.json", r'"cuda"\s*:\s*\{[^}]*"version"\s*:\s*"(\d+\.\d+)'),
        ("usr/local/cuda/version.txt", r"CUDA Version (\d+\.\d+)"),
    ):
        found = re.search(pattern, files.text_or_none(root, name) or "")
        if found:
            return found.group(1)
    folders = [re.search(r"cuda-(\d+)\.(\d+)\Z", path) for path in files.find(root, "usr/local/cuda-*")]
    versions = [(int(match.group(1)), int(match.group(2))) for match in folders if match]
    return "{}.{}".format(*max(versions)) if versions else None


def tensorrt(root):
    """The library's version such as "8.2.1", from its file's name, else the bindings'; or ``None``."""
    for path in files.find(root, *_anywhere("libnvinfer.so.*")):
        found = re.search(r"\.so\.(\d+\.\d+(?:\.\d+)?)\Z", path)
        if found:
            return found.group(1)
    for path in _bindings(root):
        found = re.search(r"tensorrt-([\d.]+?)\.(?:dist|egg)-info", path)
        if found:
            return found.group(1)
    return None


def power_mode(root, run):
    """The power mode's name: what ``nvpmodel -q`` says, else its status file and table; or ``None``."""
    if files.program(root, "nvpmodel"):
        try:
            found = re.search(r"NV Power Mode:\s*(\S+)", run(["nvpmodel", "-q"]))
        except (OSError, ValueError):
            found = None
        if found:
            return found.group(1)
    number = re.search(r"pmode:0*(\d+)", files.text_or_none(root, "var/lib/nvpmodel/status") or "")
    names = dict(_MODE.findall(files.text_or_none(root, "etc/nvpmodel.conf") or ""))
    return number and names.get(number.group(1))


def _anywhere(name):
    return ["usr/lib/aarch64-linux-gnu/" + folder + name for folder in ("", "tegra/", "nvidia/")]


def _bindings(root):
    return files.find(
        root, "usr/lib/python3*/dist-packages/tensorrt*", "usr/local/lib/python3*/dist-packages/tensorrt*"
    )


def _package_version(root, package):
    try:
        with open(os.path.join(root, "var/lib/dpkg/status"), "rb") as stream:
            inside = False
            for line in stream:
                if line.startswith(b"Package:"):
                    inside = line.split()[1:] == [package.encode("ascii")]
                elif inside and line.startswith(b"Version:"):
                    return line.split()[1].decode("ascii", "replace")
    except (OSError, IndexError):
        pass
    return None
