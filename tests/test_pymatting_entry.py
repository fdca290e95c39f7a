"""`trimatte.pymatting` in the place of PyMatting: names of arguments, `install`, and the command."""

import inspect
import pickle
import subprocess
import sys
import textwrap

import pytest

import trimatte as tm
import trimatte.pymatting as pymatting


def run(code, *arguments):
    """Run Python lines in a process of their own; return what they print."""
    done = subprocess.run(
        [sys.executable, *arguments, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SIGNATURES = {
    "estimate_alpha_cf": "image, trimap, preconditioner, laplacian_kwargs, cg_kwargs",
    "estimate_alpha_lkm": "image, trimap, laplacian_kwargs, cg_kwargs",
    "estimate_foreground_ml": "image, alpha, regularization, n_small_iterations, n_big_iterations, small_size, "
    "return_background, gradient_weight",
    "cf_laplacian": "image, epsilon, radius, is_known",
    "cg": "A, b, x0, atol, rtol, maxiter, callback, M, reorthogonalize",
    "load_image": "path, mode, size, resample",
    "make_linear_system": "L, trimap, lambda_value, return_c",
    "vcycle": "A, shape, num_pre_iter, num_post_iter, omega, direct_solve_size, cache",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_have_pymattings_names_and_order(name):
    assert ", ".join(inspect.signature(getattr(pymatting, name)).parameters) == SIGNATURES[name]


def test_install_lets_other_programs_import_it():
    run("""
        import sys
        import trimatte.pymatting as ours
        assert "scipy" not in sys.modules and "numba" not in sys.modules
        ours.install()
        ours.install()
        import pymatting
        assert pymatting is ours and pymatting.__version__ == "1.1.16"
        from pymatting import *
        from pymatting.alpha.estimate_alpha_sm import estimate_alpha_sm
        from pymatting.cutout.cutout import cutout as deep
        from pymatting.laplacian.rw_laplacian import _rw_laplacian
        from pymatting.util.kdtree import knn as deep_knn
        import pymatting.util.util, pymatting.preconditioner.ichol, pymatting.solver.cg
        assert deep is cutout and deep_knn is knn and estimate_alpha is estimate_alpha_cf
        for name in ("cupy", "pyopencl"):
            try:
                __import__(f"pymatting.foreground.estimate_foreground_ml_{name}")
            except ImportError:
                continue
            raise AssertionError(name)
    """)


def test_install_refuses_beside_pymatting_itself():
    out = run("""
        import sys, types
        sys.modules["pymatting"] = types.ModuleType("pymatting")
        import trimatte.pymatting
        try:
            trimatte.pymatting.install()
        except ImportError as error:
            print(error)
        assert sys.modules["pymatting"] is not trimatte.pymatting
    """)
    assert "install: expected that PyMatting is not imported yet" in out


def test_programs_that_cannot_be_edited(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, pymatting\nprint(pymatting.__name__, sys.argv[1:], __name__)\n", encoding="utf-8"
    )
    call = [sys.executable, "-m", "trimatte.pymatting"]
    done = subprocess.run([*call, str(program), "i", "-a"], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "trimatte.pymatting ['i', '-a'] __main__"
    done = subprocess.run([*call, "-m", "program", "-x"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split("\n")[0] == "trimatte.pymatting ['-x'] __main__"
    done = subprocess.run([*call, "trimatte", "--version"], capture_output=True, text=True, check=True)
    assert tm.__version__ in done.stdout
    for arguments, wanted in (
        (["no-such-program"], "PROGRAM: expected a command that is installed"),
        (["no_such_file.py"], "PROGRAM: expected a Python file"),
        ([], "Usage: python -m trimatte.pymatting PROGRAM"),
    ):
        done = subprocess.run([*call, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert wanted in done.stderr


def test_functions_can_be_pickled():
    for function in (pymatting.blend, pymatting.estimate_alpha_cf, pymatting.cf_laplacian):
        assert pickle.loads(pickle.dumps(function)) is function
