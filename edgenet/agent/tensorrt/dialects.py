"""What differs between TensorRT 8, 10 and 11, and TensorRT for RTX: one small class each.

Each gets the module (``tensorrt`` or ``tensorrt_rtx``) and uses only what that generation has.
"""

from ..failure import Failure


def numbers(version):
    """(major, minor) of a version."""
    parts = [int(part) if part.isdigit() else 0 for part in version.split(".")] + [0]
    return parts[0], parts[1]


def dialect_for(trt):
    """The dialect of an imported TensorRT.

    Raises:
        Failure: Its version is outside 8.2 to 8.6, 10 and 11.
    """
    major, minor = numbers(trt.__version__)
    if trt.__name__.startswith("tensorrt_rtx"):
        if major == 1:
            return Rtx(trt)
    elif major == 8 and minor >= 2:
        return Eight(trt)
    elif major == 10:
        return Ten(trt)
    elif major == 11:
        return Eleven(trt)
    raise Failure(
        "load",
        "TensorRT {} is outside 8.2 to 8.6, 10 and 11".format(trt.__version__),
        "choose another backend, or update JetPack",
    )


class Eight(object):
    """TensorRT 8.2 to 8.6 (JetPack 4.6 to 6.0): precision by the builder's flags, bindings by number."""

    form = "8"
    package = "tensorrt"
    keeps_timings = True

    def __init__(self, trt):
        self._trt = trt

    def network(self, builder):
        """An empty network to parse into."""
        return builder.create_network(1 << int(self._trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))

    def configure(self, builder, config, precision, workspace, dla_core, _sm):
        """Set precision, memory (bytes of scratch space) and device."""
        flags = self._trt.BuilderFlag
        if precision == "fp32":
            config.clear_flag(flags.TF32)
        if precision == "int8":
            config.set_flag(flags.INT8)
        if precision in ("fp16", "int8") and builder.platform_has_fast_fp16:
            config.set_flag(flags.FP16)
        if numbers(self._trt.__version__) >= (8, 4):
            config.set_memory_pool_limit(self._trt.MemoryPoolType.WORKSPACE, workspace)
        else:
            config.max_workspace_size = workspace
        config.profiling_verbosity = self._trt.ProfilingVerbosity.DETAILED
        if dla_core is not None:
            self._use_dla(builder, config, precision, dla_core)

    def _use_dla(self, builder, config, precision, core):
        if core >= builder.num_DLA_cores:
            what = "DLA core {} was asked for, this board has {}".format(core, builder.num_DLA_cores)
            raise Failure("load", what, "leave dla_core out of the target file")
        if precision == "fp32":
            raise Failure("load", "a DLA does not compute fp32", "choose --precision fp16 or int8")
        config.default_device_type = self._trt.DeviceType.DLA
        config.DLA_core = core
        config.set_flag(self._trt.BuilderFlag.GPU_FALLBACK)

    def tensors(self, engine):
        """[(name, is input, shape, dtype)] in binding order."""
        return [
            (
                engine.get_binding_name(index),
                engine.binding_is_input(index),
                tuple(engine.get_binding_shape(index)),
                engine.get_binding_dtype(index),
            )
            for index in range(engine.num_bindings)
        ]

    def runner(self, context, tensors, addresses, stream):
        """A function that enqueues one run."""
        bindings = [addresses[name] for name, _, _, _ in tensors]
        return lambda: context.execute_async_v2(bindings, stream)

    def device_memory(self, engine):
        """Bytes of scratch memory that one context needs."""
        return engine.device_memory_size


class Ten(Eight):
    """TensorRT 10 (JetPack 6.1 to 7): strongly typed networks, tensors by name."""

    form = "10"

    def network(self, builder):
        """An empty network whose types are the graph's."""
        return builder.create_network(1 << int(self._trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))

    def configure(self, _builder, config, precision, workspace, dla_core, _sm):
        """Set memory; precision is in the graph."""
        if dla_core is not None:
            raise Failure(
                "load",
                "edgenet uses a DLA with TensorRT 8 only (strongly typed networks do not run there)",
                "leave dla_core out of the target file",
            )
        if precision == "fp32":
            config.clear_flag(self._trt.BuilderFlag.TF32)
        config.set_memory_pool_limit(self._trt.MemoryPoolType.WORKSPACE, workspace)
        config.profiling_verbosity = self._trt.ProfilingVerbosity.DETAILED

    def tensors(self, engine):
        """[(name, is input, shape, dtype)] in the engine's order."""
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        is_input = self._trt.TensorIOMode.INPUT
        return [
            (
                name,
                engine.get_tensor_mode(name) == is_input,
                tuple(engine.get_tensor_shape(name)),
                engine.get_tensor_dtype(name),
            )
            for name in names
        ]

    def runner(self, context, tensors, addresses, stream):
        """A function that enqueues one run."""
        for name, _, _, _ in tensors:
            context.set_tensor_address(name, addresses[name])
        return lambda: context.execute_async_v3(stream)


class Eleven(Ten):
    """TensorRT 11: every network is strongly typed, the flag for it is only tolerated."""

    def network(self, builder):
        """An empty network."""
        return builder.create_network(0)

    def device_memory(self, engine):
        """Bytes of scratch memory that one context needs."""
        return engine.device_memory_size_v2


class Rtx(Eleven):
    """TensorRT for RTX 1.x (laptops, desktops): like 11; an engine is made for one compute capability."""

    package = "tensorrt-rtx"
    keeps_timings = False  # kernels are compiled when the engine is loaded, nothing is timed before

    def configure(self, _builder, config, precision, workspace, dla_core, sm):
        """Also name the GPU, which need not be in this machine."""
        Ten.configure(self, _builder, config, precision, workspace, dla_core, sm)
        capability = getattr(self._trt.ComputeCapability, "SM" + sm.replace(".", ""), None)
        if capability is None:
            raise Failure(
                "load",
                "TensorRT for RTX {} does not know compute capability {}".format(self._trt.__version__, sm),
                "choose --backend onnxruntime",
            )
        config.num_compute_capabilities = 1
        config.set_compute_capability(capability, 0)
