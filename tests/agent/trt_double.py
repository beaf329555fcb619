"""A double of TensorRT's Python bindings, one generation at a time, from NVIDIA's documented signatures.

It proves calls, not results: whatever a generation does not have raises AttributeError, on reading and on
setting, and calls are recorded with their arguments; what a real builder or GPU answers is not imitated.
Sources: the Python API reference of TensorRT 8.2.5, 8.4.3, 8.5.3, 10.x and 11.x, and the tables "Removed
Python APIs and Replacements" of the migration guides 8.x to 10.x and 10.x to 11.x. Python 3.6 syntax.
"""

# ruff: noqa: UP004, UP032, B905, C402, RUF005, PLW0108


class Strict(object):
    """An object that has exactly these members, of which exactly some may be set."""

    def __init__(self, where, members, settable=()):
        object.__setattr__(self, "_where", where)
        object.__setattr__(self, "_settable", settable)
        self.__dict__.update(members)

    def __getattr__(self, name):
        raise AttributeError("{} has no {}".format(self._where, name))

    def __setattr__(self, name, value):
        if name not in self._settable:
            raise AttributeError("{} has no {} to set".format(self._where, name))
        self.__dict__[name] = value


def enum(where, **members):
    return Strict(where, members)


class Memory(bytes):
    """An IHostMemory: a buffer."""


class ILogger(object):
    Severity = enum("Severity", INTERNAL_ERROR=0, ERROR=1, WARNING=2, INFO=3, VERBOSE=4)


class IProfiler(object):
    pass


class IProgressMonitor(object):
    pass


class Double(object):
    """Stands for the module ``tensorrt``.

    Args:
        version: "8.2.1.8", "10.3.0", "11.4.1" ….
        onnx_errors: What the parser complains of: (index, operator, name, text) each; none: it parses.
        build_errors: Errors that the builder logs before it gives None; none: it builds.
        run: ``run(plan, {name: address})``, called for each execution.
        inputs: (name, shape, dtype) of input and output.
    """

    __name__ = "tensorrt"
    ILogger = ILogger
    IProfiler = IProfiler

    def __init__(
        self, version, onnx_errors=(), build_errors=(), run=None, tensors=None, fast_fp16=True, dla=0
    ):
        self.__version__ = version
        self.at = tuple(int(part) for part in version.split(".")[:2])
        self.calls = []
        self._onnx_errors, self._build_errors, self._run = onnx_errors, build_errors, run
        self._fast_fp16, self._dla = fast_fp16, dla
        self.io = tensors or [("pixels", (1, 4, 4, 3), "uint8"), ("logits", (1, 5), "float32")]
        old, new = self.at < (10, 0), self.at >= (11, 0)
        flags = {"TF32": "TF32", "GPU_FALLBACK": "GPU_FALLBACK"}
        if not new:
            flags.update(FP16="FP16", INT8="INT8")
        self.BuilderFlag = enum("BuilderFlag", **flags)
        creation = {} if new else {"EXPLICIT_BATCH": 0}
        if not old:
            creation["STRONGLY_TYPED"] = 1
        self.NetworkDefinitionCreationFlag = enum("NetworkDefinitionCreationFlag", **creation)
        self.ProfilingVerbosity = enum("ProfilingVerbosity", DETAILED="DETAILED")
        self.LayerInformationFormat = enum("LayerInformationFormat", JSON="JSON")
        self.DeviceType = enum("DeviceType", GPU="GPU", DLA="DLA")
        if self.at >= (8, 4):
            self.MemoryPoolType = enum("MemoryPoolType", WORKSPACE="WORKSPACE")
        if self.at >= (8, 5):
            self.TensorIOMode = enum("TensorIOMode", INPUT="INPUT", OUTPUT="OUTPUT")
        if not old:
            self.IProgressMonitor = IProgressMonitor

    def note(self, name, *arguments):
        self.calls.append((name,) + arguments)

    def nptype(self, kind):
        import numpy

        return getattr(numpy, kind)

    # -- building

    def Builder(self, logger):
        members = {
            "create_network": self._network,
            "create_builder_config": lambda: self._config(logger),
            "build_serialized_network": lambda network, config: self._build(logger, config),
            "num_DLA_cores": self._dla,
        }
        if self.at < (11, 0):
            members["platform_has_fast_fp16"] = self._fast_fp16
        return Strict("Builder", members)

    def _network(self, flags=0):
        self.note("create_network", flags)
        return Strict("INetworkDefinition", {"data": []})

    def OnnxParser(self, network, logger):
        def error(index):
            number, operator, name, text = self._onnx_errors[index]
            members = {"desc": lambda: text, "node": lambda: number}
            if self.at >= (10, 0):
                members.update(node_name=lambda: name, node_operator=lambda: operator)
            return Strict("ParserError", members)

        def parse(model):
            network.data.append(bytes(model))
            self.data = bytes(model)
            return not self._onnx_errors

        members = {"parse": parse, "num_errors": len(self._onnx_errors), "get_error": error}
        return Strict("OnnxParser", members)

    def _config(self, _logger):
        kept = []

        def set_timing_cache(cache, ignore_mismatch):
            self.note("set_timing_cache", cache, ignore_mismatch)
            kept[:] = [cache]
            return cache != b"of another version"

        members = {
            "set_flag": lambda flag: self.note("set_flag", flag),
            "clear_flag": lambda flag: self.note("clear_flag", flag),
            "create_timing_cache": lambda serialized: bytes(serialized),
            "set_timing_cache": set_timing_cache,
            "get_timing_cache": lambda: Strict(
                "ITimingCache", {"serialize": lambda: Memory(b"timed" + kept[0])}
            ),
        }
        if self.at >= (8, 4):
            members["set_memory_pool_limit"] = lambda pool, size: self.note("pool", pool, size)
        settable = ["profiling_verbosity", "default_device_type", "DLA_core"]
        settable += ["max_workspace_size"] if self.at < (10, 0) else ["progress_monitor"]
        return Strict("IBuilderConfig", members, settable)

    def _build(self, logger, config):
        self.config = config
        for text in self._build_errors:
            logger.log(ILogger.Severity.ERROR, text)
        if self._build_errors:
            return None
        monitor = config.__dict__.get("progress_monitor")
        if monitor is not None:
            monitor.phase_start("Building", None, 2)
            monitor.phase_start("Inner", "Building", 9)
            assert monitor.step_complete("Inner", 3)
            assert monitor.step_complete("Building", 1)
            monitor.phase_finish("Building")
        return Memory(b"PLAN" + self.__version__.encode("ascii") + b"\n" + self.data)

    # -- running

    def Runtime(self, logger):
        def deserialize(serialized):
            first, _, data = bytes(serialized).partition(b"\n")
            if first != b"PLAN" + self.__version__.encode("ascii"):
                logger.log(ILogger.Severity.ERROR, "The engine plan file is not compatible with this version")
                return None
            return self._engine(data)

        return Strict("Runtime", {"deserialize_cuda_engine": deserialize}, ("DLA_core",))

    def _engine(self, data):
        io = self.io
        by_name = dict((item[0], item) for item in io)
        information = '{"Layers": [{"Name": "conv", "LayerType": "Convolution"}]}'
        members = {
            "num_layers": 1,
            "create_execution_context": lambda: self._context(data),
            "create_engine_inspector": lambda: Strict(
                "EngineInspector", {"get_engine_information": lambda form: information}
            ),
        }
        if self.at < (10, 0):
            members.update(
                num_bindings=len(io),
                get_binding_name=lambda index: io[index][0],
                binding_is_input=lambda index: index == 0,
                get_binding_shape=lambda index: io[index][1],
                get_binding_dtype=lambda index: io[index][2],
            )
        if self.at >= (8, 5):
            members.update(
                num_io_tensors=len(io),
                get_tensor_name=lambda index: io[index][0],
                get_tensor_mode=lambda name: "INPUT" if name == io[0][0] else "OUTPUT",
                get_tensor_shape=lambda name: by_name[name][1],
                get_tensor_dtype=lambda name: by_name[name][2],
            )
        if self.at < (11, 0):
            members["device_memory_size"] = 1 << 20
        if self.at >= (10, 1):
            members["device_memory_size_v2"] = 1 << 20
        return Strict("ICudaEngine", members)

    def _context(self, data):
        addresses = {}

        def execute(given, stream_handle):
            self.note("execute", dict(given), stream_handle)
            if self._run is not None:
                self._run(data, given)
            if context.__dict__.get("profiler") is not None:
                context.profiler.report_layer_time("conv", 0.5)
            return True

        def set_tensor_address(name, memory):
            addresses[name] = memory
            return True

        def execute_async_v2(bindings, stream_handle):
            return execute(dict(zip((item[0] for item in self.io), bindings)), stream_handle)

        members = {}
        if self.at < (10, 0):
            members["execute_async_v2"] = execute_async_v2
        if self.at >= (8, 5):
            members["set_tensor_address"] = set_tensor_address
            members["execute_async_v3"] = lambda stream_handle: execute(addresses, stream_handle)
        context = Strict("IExecutionContext", members, ("profiler",))
        return context
