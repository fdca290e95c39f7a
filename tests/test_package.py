"""The installed package: versions, what it was built with, what importing it brings along."""

import doctest
import importlib
import importlib.metadata
import importlib.resources
import json
import pkgutil
import subprocess
import sys

import pytest

import trimatte as tm
from trimatte import _core
from trimatte.versions import versions


def test_one_version():
    assert tm.__version__ == _core.__version__ == importlib.metadata.version("trimatte")


def test_eigen_is_the_pinned_one_and_not_the_systems():
    assert _core.eigen_version == "3.4.1"
    assert _core.eigen_source in ("cmeel-eigen", "source distribution")


def test_show_versions(capsys):
    tm.show_versions()
    out = capsys.readouterr().out
    for word in ("trimatte", tm.__version__, "numpy", "eigen", "compiler", "openmp", "threads"):
        assert word in out
    assert json.loads(json.dumps(versions()))["eigen"] == "3.4.1"


@pytest.mark.parametrize("module", ["scipy", "PIL.Image", "click", "tqdm", "multiprocessing", "logging", "csv"])
def test_importing_is_light(module):
    code = f"import sys, trimatte; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names():
    for name in tm.__all__:
        assert getattr(tm, name).__doc__ or name == "__version__"


def test_examples_in_docstrings():
    names = [m.name for m in pkgutil.walk_packages(tm.__path__, "trimatte.") if "__main__" not in m.name]
    results = {name: doctest.testmod(importlib.import_module(name)) for name in names}
    assert not [name for name, result in results.items() if result.failed]
    assert sum(result.attempted for result in results.values()) > 40


def test_the_stub_names_what_the_module_has():
    stub = (importlib.resources.files("trimatte") / "_core.pyi").read_text()
    for name in dir(_core):
        if not name.startswith("_"):
            assert name in stub


def test_importing_leaves_the_environment_alone():
    code = "import os; before = dict(os.environ); import trimatte; assert dict(os.environ) == before"
    subprocess.run([sys.executable, "-c", code], check=True)
