"""The agent against each TensorRT generation's API; unittest, because boards' Pythons have nothing else.

The double proves calls, not results.
"""

# ruff: noqa: E402, PT009, PT027

import json
import os
import sys
import tempfile
import unittest

import edgenet_agent

PART = os.path.join(os.environ["EDGENET_TEST_PARTS"], "runtimes", "tensorrt.zip")
edgenet_agent.__path__.append(os.path.join(PART, "edgenet_agent"))

from edgenet_agent.failure import Failure
from edgenet_agent.store import engines as files
from edgenet_agent.tensorrt import build, cuda, dialects, engines

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from trt_double import Double

GPU = {"gpu": "Orin", "sm": "8.7", "driver": "12.6"}
VERSIONS = ("8.2.1.8", "8.4.1.5", "8.5.2.2", "8.6.2.3", "10.3.0.30", "10.16.1", "11.4.1")


def quiet(*_):
    pass


def made(double, precision="fp16", dla_core=None, timings=b"", tell=quiet):
    options = {"precision": precision, "dla_core": dla_core, "sm": "8.7"}
    return build.build(double, dialects.dialect_for(double), b"onnx", options, 1 << 26, timings, tell)


class EveryGeneration(unittest.TestCase):
    def test_builds_every_precision(self):
        for version in VERSIONS:
            for precision in ("fp32", "fp16", "int8"):
                double = Double(version)
                plan, timings = made(double, precision)
                self.assertEqual(plan, b"PLAN" + version.encode() + b"\nonnx")
                self.assertEqual(timings, b"timed")

    def test_precision_by_flag_or_by_type(self):
        for version in VERSIONS:
            for precision in ("fp32", "fp16", "int8"):
                double = Double(version)
                made(double, precision)
                flags = [call for call in double.calls if "_flag" in call[0]]
                expected = [("clear_flag", "TF32")] if precision == "fp32" else []
                if version.startswith("8"):
                    expected += [("set_flag", "INT8")] if precision == "int8" else []
                    expected += [("set_flag", "FP16")] if precision != "fp32" else []
                self.assertEqual(flags, expected)
                created = {"8": 1, "10": 2, "11": 0}[version.split(".")[0]]
                self.assertIn(("create_network", created), double.calls)

    def test_scratch_memory_is_limited(self):
        for version in VERSIONS:
            double = Double(version)
            made(double)
            if version.startswith("8.2"):
                self.assertEqual(double.config.max_workspace_size, 1 << 26)
            else:
                self.assertIn(("pool", "WORKSPACE", 1 << 26), double.calls)

    def test_runs(self):
        for version in VERSIONS:
            double = Double(version)
            dialect = dialects.dialect_for(double)
            log = build.logger_for(double)
            engine = double.Runtime(log).deserialize_cuda_engine(made(double)[0])
            tensors = dialect.tensors(engine)
            expected = [("pixels", True, (1, 4, 4, 3), "uint8"), ("logits", False, (1, 5), "float32")]
            self.assertEqual(tensors, expected)
            self.assertEqual(dialect.device_memory(engine), 1 << 20)
            context = engine.create_execution_context()
            addresses = {"pixels": 111, "logits": 222}
            self.assertTrue(dialect.runner(context, tensors, addresses, 7)())
            self.assertEqual(double.calls[-1], ("execute", addresses, 7))

    def test_timings_of_another_version_are_not_used(self):
        double = Double("10.3.0.30")
        made(double, timings=b"of another version")
        caches = [call[1] for call in double.calls if call[0] == "set_timing_cache"]
        self.assertEqual(caches, [b"of another version", b""])

    def test_no_fp16_where_it_is_not_fast(self):
        double = Double("8.5.2.2", fast_fp16=False)
        made(double, "int8")
        self.assertNotIn(("set_flag", "FP16"), double.calls)

    def test_progress(self):
        told = []
        made(Double("10.3.0.30"), tell=lambda *event: told.append(event))
        self.assertEqual(told, [("build", 1, 2)])
        made(Double("8.2.1.8"), tell=lambda *event: told.append(event))


class Refusals(unittest.TestCase):
    def refused(self, call):
        with self.assertRaises(Failure) as caught:
            call()
        self.assertTrue(caught.exception.remedy)
        return caught.exception

    def test_versions(self):
        for version in ("7.1.3", "8.0.1", "9.3.0", "12.0.0"):
            failure = self.refused(lambda: dialects.dialect_for(Double(version)))  # noqa: B023
            self.assertIn("outside 8.2 to 8.6, 10 and 11", failure.what)

    def test_an_operator_it_does_not_know(self):
        errors = [(4, "GridSample", "warp", "no importer\n registered")]
        new = self.refused(lambda: made(Double("10.3.0.30", onnx_errors=errors)))
        self.assertIn("GridSample warp: no importer registered", new.what)
        old = self.refused(lambda: made(Double("8.2.1.8", onnx_errors=errors)))
        self.assertIn("node number 4: no importer registered", old.what)

    def test_out_of_memory(self):
        double = Double("8.2.1.8", build_errors=["Requested 9 bytes", "OutOfMemory (no further information)"])
        failure = self.refused(lambda: made(double))
        self.assertEqual(failure.kind, "memory")
        other = self.refused(lambda: made(Double("8.2.1.8", build_errors=["no implementation for conv"])))
        self.assertEqual(other.kind, "load")
        self.assertIn("no implementation for conv", other.what)

    def test_dla(self):
        double = Double("8.5.2.2", dla=2)
        made(double, "fp16", dla_core=1)
        self.assertIn(("set_flag", "GPU_FALLBACK"), double.calls)
        self.assertEqual((double.config.DLA_core, double.config.default_device_type), (1, "DLA"))
        self.assertIn("has 0", self.refused(lambda: made(Double("8.5.2.2"), "fp16", dla_core=0)).what)
        self.refused(lambda: made(Double("8.5.2.2", dla=2), "fp32", dla_core=0))
        self.refused(lambda: made(Double("10.3.0.30", dla=2), "fp16", dla_core=0))

    def test_driver(self):
        def opener(name):
            raise OSError(name + ": cannot open shared object file: No such file or directory")

        with self.assertRaises(ImportError) as caught:
            cuda.load(opener=opener)
        self.assertIn("libcuda.so.1: cannot open", str(caught.exception))


class Engines(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.graph = os.path.join(self.folder.name, "graph")
        with open(self.graph, "wb") as stream:
            stream.write(b"onnx")
        self.kept = os.path.join(self.folder.name, "engines")

    def finish(self, version="8.2.1.8", free=4 << 30, **changes):
        double = Double(version)
        manifest = {
            "digest": "a" * 64,
            "artifact": "b" * 64,
            "build": {"precision": "fp16", "dla_core": None},
        }
        gpu = dict(GPU, **changes)
        dialect = dialects.dialect_for(double)
        return engines.finish(double, dialect, gpu, self.graph, manifest, self.kept, quiet, free)

    def engine_files(self):
        return [name for name in os.listdir(self.kept) if name.endswith(".engine")]

    def test_a_second_time_it_is_there(self):
        first, second = self.finish(), self.finish()
        self.assertEqual((first["cached"], second["cached"]), (False, True))
        self.assertEqual(first["path"], second["path"])
        self.assertIsNone(first["reason"])

    def test_an_upgrade_builds_again_and_says_why(self):
        self.finish()
        again = self.finish("8.5.2.2")
        self.assertFalse(again["cached"])
        self.assertEqual(again["reason"], "TensorRT was tensorrt 8.2.1.8 and is tensorrt 8.5.2.2")
        self.assertEqual(self.engine_files(), [again["key"] + ".engine"])
        moved = self.finish("8.5.2.2", gpu="Xavier", sm="7.2")
        self.assertIn("the GPU was Orin and is Xavier", moved["reason"])
        self.assertIn("the driver was 12.6 and is 13.0", self.finish("8.5.2.2", driver="13.0")["reason"])

    def test_a_damaged_engine_is_built_again(self):
        path = self.finish()["path"]
        with open(path, "ab") as stream:
            stream.write(b"!")
        self.assertEqual(self.finish()["reason"], "the engine on the board was damaged")
        self.assertTrue(self.finish()["cached"])

    def test_a_damaged_note_is_no_note(self):
        path = self.finish()["path"]
        for text in ("{", "[]", '{"sha256": 1}', json.dumps({"what": []})):
            with open(path.replace(".engine", ".json"), "w") as stream:
                stream.write(text)
            self.assertFalse(self.finish()["cached"])

    def test_timings_are_kept(self):
        self.finish()
        (name,) = [name for name in os.listdir(self.kept) if name.startswith("timings-")]
        self.finish(driver="13.0")
        with open(os.path.join(self.kept, name), "rb") as stream:
            self.assertEqual(stream.read(), b"timedtimed")

    def test_too_little_memory_is_refused_before_building(self):
        with self.assertRaises(Failure) as caught:
            self.finish(free=200 << 20)
        self.assertEqual(caught.exception.kind, "memory")
        self.assertIn("are free", caught.exception.what)
        self.assertFalse(os.path.exists(self.kept))

    def test_scratch_memory_follows_what_is_free(self):
        sizes = [engines.workspace_for(free << 20, 4 << 20) for free in (420, 900, 2000, 8000)]
        self.assertEqual(sizes, sorted(sizes))
        self.assertGreaterEqual(sizes[0], engines.LEAST_WORKSPACE)
        self.assertEqual(sizes[-1], engines.MOST_WORKSPACE)
        self.assertEqual(engines.workspace_for(None, 1), engines.LEAST_WORKSPACE)

    def test_engines_of_removed_deployments_are_forgotten(self):
        path = self.finish()["path"]
        self.assertEqual(files.forget(self.kept, ["a" * 64]), [])
        self.assertTrue(os.path.exists(path))
        self.assertEqual(len(files.forget(self.kept, ["c" * 64])), 1)
        self.assertEqual(self.engine_files(), [])
        self.assertEqual(files.forget(os.path.join(self.kept, "nowhere"), []), [])

    def test_free_memory(self):
        path = os.path.join(self.folder.name, "meminfo")
        with open(path, "w") as stream:
            stream.write("MemTotal: 4000000 kB\nMemAvailable:    1000 kB\n")
        self.assertEqual(engines.free_memory(5000000, path), 1024000)
        self.assertEqual(engines.free_memory(5000, path), 5000)
        self.assertEqual(engines.free_memory(5000, "nowhere"), 5000)


if __name__ == "__main__":
    unittest.main()
