"""Keys of nobody's, made by ssh-keygen for these tests, and what it signed with them: the golden values."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

MESSAGE = b'{"schema": 1}\n'
ALICE = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDLggCAIX6DG7MGZb4A3XtWhenZg4SwUgtObDx7zsNJ3AAAAJCJL/aniS/2
pwAAAAtzc2gtZWQyNTUxOQAAACDLggCAIX6DG7MGZb4A3XtWhenZg4SwUgtObDx7zsNJ3A
AAAEAkqfblNuzJ2gdjRWdQpX4QlQlzcmlyMteA4IJuNYAPm8uCAIAhfoMbswZlvgDde1aF
6dmDhLBSC05sPHvOw0ncAAAACmFsaWNlQHRlYW0BAgM=
-----END OPENSSH PRIVATE KEY-----
"""
BOB = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDe58p+Xb
XkP9q6+7ctjuZDAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIIrLYuIqxfLUuL5b
YF9cTJnWIhGpKesJSjH4KZsdddM2AAAAkCNRY0iNrEsQbvxbWg+/1CSaqsacSvKyC5cwgm
x7SNOGJG1eBPIYpitqEDBu+2md4YpsyIUZFlhTO3xkANekdOubR28UpiwL9/9bbu5ojdWP
EF2AHyVIw/j8g4t1fLJNZa6eDjZl3knw4hnk3NXo+CYjyr1istYXnObv1mDQB+dxZGQwN+
EKnllFaLxIU462nw==
-----END OPENSSH PRIVATE KEY-----
"""
PASSPHRASE = "a secret"
ALICE_PUB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMuCAIAhfoMbswZlvgDde1aF6dmDhLBSC05sPHvOw0nc alice@team"
BOB_PUB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIrLYuIqxfLUuL5bYF9cTJnWIhGpKesJSjH4KZsdddM2 bob@team"
ECDSA_PUB = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIjzcYeyJlP7weTdG2"
    "cvxKTWJSG+98mXkkUwxaIRx2XKELbp0NSaBrGBca84AXMPxQB9oriV0QcAOExmM9TTk0I= e"
)
RSA_PUB = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDGe+45ebzvPxknq/vD66llRdEV91hve6M3qDeG9bgmgTSM5SzvCm"
    "tVbMmgeq3u/pJADr3jj4EW1LeeVlPcXK+TIxJY/ROSyT6i7A/wenC6Al9YoEklkYHl3tef0r8W6orEMHAiktaA+Gzv"
    "EcqUA3tXt51KlBvZdx2LHNqvdVfJvw== r"
)
CERTIFICATE = (
    "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIOBrT"
    "309XA72QHnjcM23xcjz+xttY45qWI8ewbegV3qJAAAAIMuCAIAhfoMbswZlvgDde1aF6dmDhLBSC05sPHvOw0ncAAA"
    "AAAAAAAAAAAABAAAABGNlcnQAAAAAAAAAAAAAAAD//////////wAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZ"
    "GluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAA"
    "AAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAACXAAAAB3NzaC1yc2EAAAADAQABA"
    "AAAgQDGe+45ebzvPxknq/vD66llRdEV91hve6M3qDeG9bgmgTSM5SzvCmtVbMmgeq3u/pJADr3jj4EW1LeeVlPcXK+"
    "TIxJY/ROSyT6i7A/wenC6Al9YoEklkYHl3tef0r8W6orEMHAiktaA+GzvEcqUA3tXt51KlBvZdx2LHNqvdVfJvwAAA"
    "JQAAAAMcnNhLXNoYTItNTEyAAAAgLbRs9/tN3VfkDuaZCgrPFAT5Y2jSRK01nKNV1w9GbvLJSoGt/oJxt8mXJrfvtI"
    "PBHhHykw/QCHJYrWjuiOmQ3e6zkqRFhH8XkphzTCmxMOu3ROLHdTedAy1eGqEuE4ugOk/qhqUv4VIqniD2rE70ObUV"
    "w/YpKl4xKTJX6IeqGia alice@team"
)
SIGNED = """\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgy4IAgCF+gxuzBmW+AN17VoXp2Y
OEsFILTmw8e87DSdwAAAAOZWRnZW5ldC1idW5kbGUAAAAAAAAABnNoYTUxMgAAAFMAAAAL
c3NoLWVkMjU1MTkAAABAPCOkZPVsRq2PQMyNCA8bnewWTGDEQNafQXK451PlVQlGbLouMH
Kk4PRHYuIwSrtsrqDCpgetREMwGqJkxM+rBg==
-----END SSH SIGNATURE-----
"""
SIGNED_SHA256 = """\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgy4IAgCF+gxuzBmW+AN17VoXp2Y
OEsFILTmw8e87DSdwAAAAOZWRnZW5ldC1idW5kbGUAAAAAAAAABnNoYTI1NgAAAFMAAAAL
c3NoLWVkMjU1MTkAAABAg8jpKYFzss74kec6mfM9KpMj0ICV3fmsZQR1uAW/S8hSWPj1O/
yb4MI4O3Sxxr2QCnHvGtvGBymAhglswRHRCQ==
-----END SSH SIGNATURE-----
"""
SIGNED_FOR_GIT = """\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgy4IAgCF+gxuzBmW+AN17VoXp2Y
OEsFILTmw8e87DSdwAAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5
AAAAQEKOx+hqzUWbcSr/7czKgAl27dui26bgfkTRAIj3rhB9TEzCGr6bm0wNRY/ZviB/ck
fUrCiIjaVOBTJUsTBvuwk=
-----END SSH SIGNATURE-----
"""
SIGNED_BY_ECDSA = """\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEiPNxh7ImU/vB5N0bZy/EpNYlIb73yZeSRTDFohHHZcoQtunQ1JoGsYFxrzgBcw/FAH2i
uJXRBwA4TGYz1NOTQgAAAA5lZGdlbmV0LWJ1bmRsZQAAAAAAAAAGc2hhNTEyAAAAZAAAAB
NlY2RzYS1zaGEyLW5pc3RwMjU2AAAASQAAACEA/9vzMhi4dMDwgmJH9guUygW3eNpcrA+O
jYKVdhOJDiQAAAAgLWIhQ39R9US3u2YfJdGmspJ/yj9gPPdVF0oZu9z1Mfo=
-----END SSH SIGNATURE-----
"""
FINGERPRINT = "SHA256:YqfX61ct4cAcmvoG3e1XHDJaYOnd5VOFgZ0SDO9glLI"


def write(folder: Path) -> Mapping[str, Path]:
    """The private keys as their owner keeps them, and their public halves."""
    files = {"alice": ALICE, "bob": BOB, "alice.pub": ALICE_PUB + "\n", "bob.pub": BOB_PUB + "\n"}
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return {name: folder / name for name in files}


def keygen(*words: str | Path, message: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What the real ssh-keygen does."""
    program = shutil.which("ssh-keygen")
    if program is None:
        pytest.skip("no ssh-keygen here")
    return subprocess.run(
        [program, *map(str, words)], input=message, capture_output=True, timeout=60, check=False
    )
