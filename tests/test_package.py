"""The installed package: versions, what it was built with, what importing it brings along."""

import doctest
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import json
import pkgutil
import subprocess
import sys
from typing import get_args

import pytest

import trimatte as tm
from trimatte import _core, _names, _solver, methods
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
    if importlib.util.find_spec("starlette") is None:  # extra [web], which a wheel's tests do without
        names = [name for name in names if not name.startswith("trimatte.web.")]
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


def test_dir_shows_the_public_names():
    assert dir(tm) == sorted(tm.__all__)
    assert {"batch", "evaluation"} <= set(dir(tm))
    assert [name for name in dir(tm) if name.startswith("_")] == ["__version__"]


def test_the_types_of_names_are_those_of_the_tables():
    assert get_args(_names.MethodName) == methods.names()
    assert get_args(_names.PriorName) == tuple(methods.PRIORS)
    assert get_args(_names.SolverName) == _solver.SOLVERS
    assert get_args(_names.ColourSpace) == tm.colour.SPACES
    assert get_args(_names.ForegroundName) == tuple(tm.foreground.METHODS)


def test_warnings_point_to_the_caller(tmp_path):
    import numpy as np

    image, known = np.full((6, 6, 3), 0.5), np.zeros((6, 6))
    known[2:4, 2:4] = 1
    tm.io.save_image(tmp_path / "c.png", np.dstack([image, known]))
    for call in (
        lambda: tm.solve_alpha(image, known),
        lambda: tm.estimate_alpha(image, known),
        lambda: tm.cutout(image, known),
        lambda: list(tm.solve_sequence([image], [known])),
        lambda: tm.io.load_image(tmp_path / "c.png"),
        lambda: tm.estimate_foreground(image, np.where(known > 0, np.uint8(9), np.uint8(0))),
    ):
        with pytest.warns(tm.TrimatteWarning) as heard:
            call()
        assert {warning.filename for warning in heard} == {__file__}
