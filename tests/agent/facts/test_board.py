"""Recorded sensors and facts. Python 3.6 syntax and unittest, as in `store/test_home.py`."""

import os
import shutil
import tempfile
import unittest

from edgenet_agent.facts import board, cpu, nvidia, power, sensors

PI4 = {
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n"
    "CPU implementer\t: 0x41\nCPU part\t: 0xd08\n",
    "proc/meminfo": "MemTotal:        3884400 kB\nMemFree:         3000000 kB\n",
    "proc/loadavg": "0.52 0.58 0.59 1/207 1234\n",
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48686\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "600000\n",
}


class TreeCase(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, files):
        for name, text in files.items():
            path = os.path.join(self.root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as stream:
                stream.write(text)


class SensorsTest(TreeCase):
    def test_raspberry_pi(self):
        self.write(PI4)
        reading = sensors.read(self.root)
        assert reading["temperature_c"] == 48.686
        assert reading["governor"] == "ondemand"
        assert reading["cpu_mhz"] == [1800, 600]
        assert reading["throttled"] == 327685
        assert reading["throttled_now"] == ["under-voltage", "throttled"]
        assert reading["load_1m"] == 0.52
        assert reading["absent"] == {
            "power_w": "no power sensor",
            "memory_available_mb": "not in /proc/meminfo",
        }

    def test_what_cannot_be_read_is_absent_with_a_reason(self):
        reading = sensors.read(self.root)
        assert sorted(reading["absent"]) == [
            "cpu_mhz",
            "governor",
            "load_1m",
            "memory_available_mb",
            "power_w",
            "temperature_c",
            "throttled",
        ]
        assert all(reading["absent"].values())
        assert sorted(reading) == ["absent", "time_s"]

    def test_placeholder_zone_of_jetson_nano(self):
        self.write(
            {
                "sys/class/thermal/thermal_zone0/type": "CPU-therm\n",
                "sys/class/thermal/thermal_zone0/temp": "41000\n",
                "sys/class/thermal/thermal_zone1/type": "PMIC-Die\n",
                "sys/class/thermal/thermal_zone1/temp": "100000\n",
            }
        )
        assert sensors.temperature(self.root) == 41.0

    def test_a_count_that_rises_is_throttling(self):
        quiet, loud = {"throttle_events": 3}, {"throttle_events": 4}
        sensors.compare(quiet, dict(quiet))
        assert "throttled_now" not in quiet
        sensors.compare(quiet, loud)
        assert loud["throttled_now"] == ["throttled"]
        nothing = {}
        sensors.compare(nothing, nothing)
        assert nothing == {}

    def test_program_that_fails_is_a_reason(self):
        self.write({"usr/bin/vcgencmd": ""})

        def run(command):
            raise ValueError(command[0] + " failed: VCHI initialization failed")

        reading = sensors.read(self.root, run)
        assert reading["absent"]["throttled"] == "vcgencmd failed: VCHI initialization failed"
        assert reading["absent"]["power_w"] == "vcgencmd failed: VCHI initialization failed"

    def test_program_that_talks_nonsense(self):
        self.write({"usr/bin/vcgencmd": ""})
        reading = sensors.read(self.root, lambda command: "")
        assert "said nothing" in reading["absent"]["throttled"]
        assert "said nothing" in reading["absent"]["power_w"]

    def test_rails_without_a_whole_are_added(self):
        self.write(
            {
                "sys/class/hwmon/hwmon1/name": "ina3221\n",
                "sys/class/hwmon/hwmon1/in1_label": "VDD_GPU_SOC\n",
                "sys/class/hwmon/hwmon1/in1_input": "19000\n",
                "sys/class/hwmon/hwmon1/curr1_input": "100\n",
                "sys/class/hwmon/hwmon1/in2_label": "VDD_CPU_CV\n",
                "sys/class/hwmon/hwmon1/in2_input": "19000\n",
                "sys/class/hwmon/hwmon1/curr2_input": "50\n",
                "sys/class/hwmon/hwmon1/in3_label": "cannot be read\n",
                "sys/class/hwmon/hwmon1/curr3_input": "50\n",
            }
        )
        watts, source, rails = power.read(self.root, None)
        assert (watts, source) == (2.85, "sum of 2 rails")
        assert rails == {"VDD_GPU_SOC": 1.9, "VDD_CPU_CV": 0.95}


class BoardTest(TreeCase):
    def test_raspberry_pi(self):
        self.write(PI4)
        facts = board.facts(self.root, None)
        assert facts["cpu"] == "Cortex-A72"
        assert facts["cpu_parts"] == ["0x41 0xd08"]
        assert facts["isa"] == ["asimd"]
        assert facts["memory_mb"] == 3977.6
        assert facts["os"] == "Debian GNU/Linux 12 (bookworm)"
        assert facts["throttled_since_boot"] == ["under-voltage since boot", "throttled since boot"]

    def test_what_is_not_there_is_none_never_zero(self):
        facts = board.facts(self.root, None)
        known = {name: value for name, value in facts.items() if value not in (None, [], False)}
        assert sorted(known) == ["absent"] or sorted(known) == ["absent", "cpu"]

    def test_isa_of_a_laptop(self):
        self.write({"proc/cpuinfo": "model name : Some CPU\nflags : sse4_1 avx2 fma avx512_vnni mmx\n"})
        facts = cpu.facts(self.root)
        assert facts["cpu"] == "Some CPU"
        assert facts["isa"] == ["sse4_1", "avx2", "fma", "avx512_vnni"]

    def test_cores_of_two_designs(self):
        self.write(
            {
                "proc/cpuinfo": "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd07\n\n"
                "processor : 1\nCPU implementer : 0x4e\nCPU part : 0x003\n\n"
                "processor : 2\nCPU implementer : 0x99\nCPU part : 0x123\n"
            }
        )
        assert cpu.facts(self.root)["cpu"] == "Cortex-A57 + Denver 2 + part 0x99 0x123"

    def test_memory_that_makes_no_sense(self):
        self.write({"proc/meminfo": "MemTotal:        many kB\n"})
        assert board.memory_mb(self.root, "MemTotal") is None


class NvidiaTest(TreeCase):
    def test_release_from_the_package_list(self):
        self.write(
            {
                "var/lib/dpkg/info/nvidia-l4t-core.list": "/etc\n",
                "var/lib/dpkg/status": "Package: nano\nVersion: 9\n\nPackage: nvidia-l4t-core\n"
                "Status: install ok installed\nVersion: 35.4.1-20230801124926\n\nPackage: z\nVersion: 1\n",
            }
        )
        assert nvidia.l4t(self.root) == "35.4.1"

    def test_jetpack_of_a_release(self):
        for release, expected in (
            ("32.6.1", "4.6"),
            ("32.7.1", "4.6.1"),
            ("32.7.5", "4.6.x"),
            ("35.1.0", "5.0.2"),
            ("35.4.1", "5.1.x"),
            ("36.3.0", "6.0"),
            ("36.4.3", "6.2"),
            ("38.2.0", "7.0"),
            ("39.2.0", "7.2"),
            ("28.2.1", None),
        ):
            assert nvidia.jetpack(release) == expected, release

    def test_versions_from_names(self):
        self.write(
            {
                "usr/local/cuda-10.2/bin/x": "",
                "usr/local/cuda-9.0/bin/x": "",
                "usr/local/lib/python3.12/dist-packages/tensorrt-10.16.0.dist-info/METADATA": "",
            }
        )
        assert nvidia.cuda(self.root) == "10.2"
        assert nvidia.tensorrt(self.root) == "10.16.0"


if __name__ == "__main__":
    unittest.main()
