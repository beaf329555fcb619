"""Packages of the board's own Python. Python 3.6 syntax and unittest, as in `store/test_home.py`."""

import importlib
import os
import shutil
import sys
import tempfile
import unittest

from edgenet_agent.facts import probe

NAME = "edgenet_toy"


class PackageTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        sys.path.insert(0, self.folder)
        self.addCleanup(sys.path.remove, self.folder)

    def made(self, about, source="raise SystemExit('it was imported')"):
        """What is told of a package with this folder of metadata."""
        os.mkdir(os.path.join(self.folder, NAME))
        if source is not None:
            with open(os.path.join(self.folder, NAME, "__init__.py"), "w") as stream:
                stream.write(source)
        if about:
            os.mkdir(os.path.join(self.folder, about))
        importlib.invalidate_caches()
        return probe.package(NAME)

    def test_version_in_the_metadata_of_pip(self):
        assert self.made("edgenet_toy-1.26.4.dist-info") == "1.26.4"

    def test_version_in_the_metadata_of_debian(self):
        assert self.made("edgenet_toy-1.24.2.egg-info") == "1.24.2"

    def test_version_with_a_python(self):
        assert self.made("edgenet_toy-1.19.5-py3.6.egg-info") == "1.19.5"

    def test_no_metadata(self):
        assert self.made("") == ""

    def test_metadata_of_another(self):
        assert self.made("edgenet_toy_more-2.0.dist-info") == ""

    def test_a_folder_of_this_name_is_no_package(self):
        """Debian leaves one of numpy's under lib/python3.11."""
        assert self.made("", source=None) is None

    def test_it_is_not_there(self):
        assert probe.package(NAME) is None


if __name__ == "__main__":
    unittest.main()
