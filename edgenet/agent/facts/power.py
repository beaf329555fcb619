"""What the board draws, where a sensor tells: INA monitors of a Jetson, the PMIC of a Raspberry Pi 5."""

import os
import re

from . import files

# The rail that carries all others: Jetson Nano; TX2 NX, Xavier NX, Orin Nano and NX; Thor.
_WHOLE = ("POM_5V_IN", "VDD_IN", "VIN")
_MONITORS = ("ina3221", "ina238", "ina226", "ina219")
_ADC = re.compile(r"(\S+)_([AV]) (?:current|volt)\(\d+\)=([0-9.]+)[AV]")


def read(root, run):
    """``(watts, of what, {rail: watts})``.

    Args:
        root: Where ``sys`` lies.
        run: Runs a command (a list) and returns what it printed.

    Raises:
        OSError, ValueError: There is no sensor or it cannot be read; the reason.
    """
    rails = monitors(root)
    if not rails and files.program(root, "vcgencmd"):
        rails = pmic(run(["vcgencmd", "pmic_read_adc"]))
        return round(sum(rails.values()), 3), "sum of {} PMIC rails".format(len(rails)), rails
    if not rails:
        raise ValueError("no power sensor")
    for name in _WHOLE:
        if name in rails:
            return rails[name], name, rails
    return round(sum(rails.values()), 3), "sum of {} rails".format(len(rails)), rails


def monitors(root):
    """``{rail: watts}`` of the INA chips, wherever the kernel shows them."""
    rails = {}
    for folder in files.find(root, "sys/bus/i2c/drivers/ina3221x/*/iio:device*"):
        rails.update(_iio(folder))
    seen = set()
    for folder in files.find(root, "sys/class/hwmon/hwmon*", "sys/bus/i2c/drivers/ina*/*/hwmon/hwmon*"):
        if os.path.realpath(folder) not in seen and files.text_or_none(folder, "name") in _MONITORS:
            seen.add(os.path.realpath(folder))
            rails.update(_hwmon(folder))
    return rails


def _iio(folder):
    """JetPack 4's driver: ``rail_name_N`` and ``in_powerN_input`` in mW."""
    rails = {}
    for path in files.find(folder, "rail_name_*"):
        number = path.rpartition("_")[2]
        milliwatts = _number(folder, "in_power{}_input".format(number))
        if milliwatts is not None:
            rails[files.text(path)] = round(milliwatts / 1e3, 3)
    return rails


def _hwmon(folder):
    """The kernel's drivers: mV and mA (INA3221), or µW (INA238)."""
    rails = {}
    for path in files.find(folder, "power*_input"):
        number = re.sub(r"\D", "", os.path.basename(path))
        microwatts = _number(path)
        if microwatts is not None:
            label = files.text_or_none(folder, "power{}_label".format(number)) or "VIN"
            rails[label] = round(microwatts / 1e6, 3)
    for path in [] if rails else files.find(folder, "curr*_input"):
        number = re.sub(r"\D", "", os.path.basename(path))
        volts, amperes = _number(folder, "in{}_input".format(number)), _number(path)
        label = files.text_or_none(folder, "in{}_label".format(number)) or "rail {}".format(number)
        if volts is not None and amperes is not None:
            rails[label] = round(volts * amperes / 1e6, 3)
    return rails


def pmic(said):
    """``{rail: watts}`` of ``vcgencmd pmic_read_adc``: each rail that has both current and voltage.

    Raises:
        ValueError: It printed something else, such as an error.
    """
    values = {(name, unit): float(value) for name, unit, value in _ADC.findall(said)}
    rails = {
        name: round(value * values[name, "V"], 4)
        for (name, unit), value in sorted(values.items())
        if unit == "A" and (name, "V") in values
    }
    if not rails:
        raise ValueError("vcgencmd pmic_read_adc: {}".format(" ".join(said.split())[:100] or "said nothing"))
    return rails


def _number(*names):
    try:
        return int(files.text(*names))
    except (OSError, ValueError):
        return None
