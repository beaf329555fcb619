"""The NVIDIA driver through ctypes: memory, one stream, facts about the GPU.

``libcuda`` is the driver's own library and there wherever a GPU works; the CUDA toolkit, pycuda and libcudart
are not needed. TensorRT shares the device's primary context with it.
"""

import ctypes
from typing import Any

LIBRARIES = ("libcuda.so.1", "libcuda.so", "nvcuda.dll")
COMPUTE_MAJOR, COMPUTE_MINOR = 75, 76  # CUdevice_attribute
NON_BLOCKING = 1


def load(names=LIBRARIES, opener=ctypes.CDLL):
    """The driver's library.

    Raises:
        ImportError: It is not there, or one that it needs is missing; both are named.
    """
    reasons = []
    for name in names:
        try:
            return opener(name)
        except OSError as error:
            reasons.append(str(error))
    raise ImportError("the NVIDIA driver cannot be used: " + reasons[0])


class Cuda(object):
    """The first GPU of this machine.

    Args:
        library: What :func:`load` returned.

    Raises:
        RuntimeError: The driver refuses; its own words are in the text.
    """

    def __init__(self, library):
        self._library: Any = library
        device, context, stream = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuInit", ctypes.c_uint(0))
        self._call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(0))
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._call("cuStreamCreate", ctypes.byref(stream), ctypes.c_uint(NON_BLOCKING))
        self._device, self._stream = device, stream

    @property
    def stream(self):
        """The stream's handle, for TensorRT."""
        return int(self._stream.value or 0)

    def facts(self):
        """``{"gpu": name, "sm": "8.7", "driver": "12.6"}``."""
        name = ctypes.create_string_buffer(128)
        major, minor, driver = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        self._call("cuDeviceGetName", name, ctypes.c_int(len(name)), self._device)
        for value, which in ((major, COMPUTE_MAJOR), (minor, COMPUTE_MINOR)):
            self._call("cuDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(which), self._device)
        self._call("cuDriverGetVersion", ctypes.byref(driver))
        return {
            "gpu": name.value.decode("utf-8", "replace"),
            "sm": "{}.{}".format(major.value, minor.value),
            "driver": "{}.{}".format(driver.value // 1000, driver.value % 1000 // 10),
        }

    def memory(self):
        """(free, all) bytes of the GPU's memory, which on a Jetson is the board's own."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value, total.value

    def device_buffer(self, size):
        """The address of ``size`` bytes on the GPU, kept until the process ends."""
        address = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address.value

    def pinned_buffer(self, size):
        """``size`` bytes of the host that the GPU reads and writes directly, as a ctypes array."""
        address = ctypes.c_void_p()
        self._call("cuMemHostAlloc", ctypes.byref(address), ctypes.c_size_t(size), ctypes.c_uint(0))
        return (ctypes.c_ubyte * size).from_address(address.value or 0)

    def to_gpu(self, address, buffer):
        """Copy a pinned buffer to the GPU, in the stream's order."""
        self._call(
            "cuMemcpyHtoDAsync_v2",
            ctypes.c_uint64(address),
            ctypes.c_void_p(ctypes.addressof(buffer)),
            ctypes.c_size_t(ctypes.sizeof(buffer)),
            self._stream,
        )

    def to_host(self, buffer, address):
        """Copy from the GPU into a pinned buffer, in the stream's order."""
        self._call(
            "cuMemcpyDtoHAsync_v2",
            ctypes.c_void_p(ctypes.addressof(buffer)),
            ctypes.c_uint64(address),
            ctypes.c_size_t(ctypes.sizeof(buffer)),
            self._stream,
        )

    def wait(self):
        """Until everything in the stream is done."""
        self._call("cuStreamSynchronize", self._stream)

    def _call(self, name, *arguments):
        code = getattr(self._library, name)(*arguments)
        if code:
            raise RuntimeError("{} answered {}: {}".format(name, code, self._meaning(code)))

    def _meaning(self, code):
        text = ctypes.c_char_p()
        try:
            self._library.cuGetErrorString(ctypes.c_int(code), ctypes.byref(text))
        except AttributeError:
            pass
        return (text.value or b"unknown").decode("utf-8", "replace")
