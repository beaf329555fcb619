"""TensorRT: JetPack's own Python bindings, or TensorRT for RTX. The engine is built on the board."""

import importlib
from importlib import util
from typing import Any

from ..tensorrt import cuda, engines
from ..tensorrt.dialects import dialect_for
from ..tensorrt.session import Session as _Session


def _bindings():
    """(the driver, the module); the driver first, because it is the quicker one to miss."""
    name = next((name for name in ("tensorrt", "tensorrt_rtx") if util.find_spec(name)), None)
    if name is None:
        raise ModuleNotFoundError("No module named 'tensorrt'")
    driver = cuda.load()
    if name == "tensorrt":
        return driver, importlib.import_module("tensorrt")
    return driver, importlib.import_module("tensorrt_rtx")


_TRT: Any
_DRIVER, _TRT = _bindings()


def version():
    """Package and version, such as "tensorrt 10.3.0"."""
    return "{} {}".format(dialect_for(_TRT).package, _TRT.__version__)


def finish(path, manifest, folder, tell):
    """Build the engine of a deployment, or find it; see ``tensorrt/engines.py`` beside this folder."""
    gpu = cuda.Cuda(_DRIVER)
    free = engines.free_memory(gpu.memory()[0])
    return engines.finish(_TRT, dialect_for(_TRT), gpu.facts(), path, manifest, folder, tell, free)


class Session(_Session):
    """A loaded engine; the threads are the GPU's own business."""

    def __init__(self, path, _threads):
        _Session.__init__(self, _TRT, dialect_for(_TRT), cuda.Cuda(_DRIVER), path)
