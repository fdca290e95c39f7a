"""The real code of rembg with `trimatte.pymatting` and with PyMatting, and a session that returns given masks.

It runs where rembg is installed: `make check-rembg` installs the group test-rembg. rembg's own
tests run, too, if REMBG_TESTS names their folder: its distributions have none.
"""

import importlib.util
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from tolerances import PYMATTING

import trimatte as tm

if importlib.util.find_spec("rembg") is None:
    pytest.skip("rembg is not installed; make check-rembg installs it", allow_module_level=True)

PROGRAM = """
    import importlib, pickle, sys
    import numpy as np
    from PIL import Image
    if sys.argv[2] == "trimatte":
        import trimatte.pymatting
        trimatte.pymatting.install()
    module = importlib.import_module("pymatting.alpha.estimate_alpha_cf")

    solved = []
    def recorded(image, trimap, **options):
        alpha = estimate(image, trimap, **options)
        solved.append((image, trimap, alpha))
        return alpha
    estimate, module.estimate_alpha_cf = module.estimate_alpha_cf, recorded
    module = importlib.import_module("pymatting.foreground.estimate_foreground_ml")
    def longer(image, alpha):
        return colours(image, alpha, n_small_iterations=10 * times, n_big_iterations=2 * times)
    times = int(sys.argv[3])
    colours, module.estimate_foreground_ml = module.estimate_foreground_ml, longer
    import rembg
    from rembg.sessions.base import BaseSession

    class Given(BaseSession):
        def __init__(self, mask):
            self.mask = mask
        def predict(self, image, *args, **kwargs):
            return [self.mask.resize(image.size)]

    with open(sys.argv[1], "rb") as file:
        pixels, levels = pickle.load(file)
    photo, mask = Image.fromarray(pixels), Image.fromarray(levels)
    def plain(mode, value):
        return Image.new(mode, photo.size, value)
    grey = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    cases = {
        "photo": (photo, mask),
        "array": (pixels, mask),
        "no subject": (photo, plain("L", 0)),
        "all subject": (photo, plain("L", 255)),
        "grey mask": (photo, plain("L", 128)),
        "black": (plain("RGB", 0), mask),
        "white": (plain("RGB", "white"), mask),
        "grey": (plain("RGB", (128, 128, 128)), mask),
        **{mode: (photo.convert(mode), mask) for mode in ("L", "P", "1", "LA", "RGBA", "CMYK")},
        "I;16": (Image.fromarray(grey), mask),
        "one pixel": (photo.resize((1, 1)), mask),
        "2 x 3": (photo.resize((2, 3)), mask),
    }
    made = {}
    for name, (picture, of) in cases.items():
        try:
            made[name] = np.array(rembg.remove(picture, alpha_matting=True, session=Given(of)))
        except Exception as error:
            made[name] = repr(error)
    with open(sys.argv[1], "wb") as file:
        pickle.dump((made, solved[0], "numba" in sys.modules), file)
"""
SOLVED = ["photo", "array", "black", "white", "grey", "RGBA", "CMYK"]


def test_its_networks_take_trimattes_way(results):
    """`trimatte.integrations.rembg.remove` asks rembg's sessions as rembg does."""
    code = """
        import inspect
        import trimatte.integrations.rembg as ours
        ours.install()
        import rembg
        theirs = inspect.signature(rembg.remove).parameters
        known = [name for name in inspect.signature(ours.remove).parameters if name not in ("learn",)]
        assert [name for name in known if name not in theirs] == [], theirs
        assert callable(rembg.new_session)
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], check=True)


def run_cases(folder, way, times=1):
    """The cutouts of all cases, what the first one solved, and whether Numba was imported.

    `times` multiplies the iterations of the colours.
    """
    scene = tm.datasets.hair(96, 128, seed=3)
    path = folder / "data"
    pictures = [np.round(plane * 255).astype(np.uint8) for plane in (scene.image, scene.alpha)]
    path.write_bytes(pickle.dumps(pictures))
    call = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(PROGRAM), str(path), way, str(times)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pickle.loads(path.read_bytes())


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_cases(tmp_path_factory.mktemp("rembg"), "trimatte")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """What `results` holds, with PyMatting itself."""
    return run_cases(tmp_path_factory.mktemp("pymatting"), "pymatting")


@pytest.fixture(scope="module")
def converged(tmp_path_factory):
    """The cutouts of `theirs` with a hundred times as many iterations of the colours."""
    return run_cases(tmp_path_factory.mktemp("longer"), "pymatting", 100)[0]


def test_it_takes_no_numba(results):
    assert not results[2]


def test_all_inputs_end_with_a_cutout(results):
    made = results[0]
    assert len(made) == 17
    for name, cutout in made.items():
        size = {"one pixel": (1, 1), "2 x 3": (3, 2)}.get(name, (96, 128))
        assert cutout.shape == (*size, 4), name
        assert cutout.dtype == np.uint8


def test_alpha_is_that_of_trimatte(results):
    made, (image, trimap, alpha), _ = results
    exact = tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")
    assert abs(alpha - exact).max() < PYMATTING
    for name in ("photo", "array", "RGBA", "CMYK"):
        assert abs(made[name][..., 3].astype(int) - alpha * 255).max() < 2


def seen_apart(one, other):
    """Largest difference of a pixel's colours as they are seen, colour times alpha, of 255."""
    apart = abs(one[..., :3].astype(float) - other[..., :3])
    return (apart * other[..., 3:] / 255).max(axis=-1)


def test_every_case_ends_as_with_pymatting_or_better(results, theirs):
    ours, others = results[0], theirs[0]
    assert theirs[2]  # it is PyMatting itself that was run
    ended = {name: cutout for name, cutout in others.items() if not isinstance(cutout, str)}
    assert set(others) - set(ended) == {"LA", "one pixel"}
    for name, cutout in ended.items():
        assert cutout.shape == ours[name].shape, name
        assert abs(ours[name][..., 3].astype(int) - cutout[..., 3]).max() <= 2, name
        # Where alpha is 0.5 everywhere, PyMatting's rounding decides how the colour is shared by the layers.
        assert seen_apart(ours[name], cutout).max() <= (5 if name == "grey mask" else 2), name


def test_colours_are_pymattings_where_it_has_converged(results, theirs, converged, capsys):
    """It has converged where 100 times as many iterations change colours times alpha by at most 1 of 255."""
    shares = {}
    for name, cutout in theirs[0].items():
        if isinstance(cutout, str):
            continue
        settled = seen_apart(converged[name], cutout) <= 1
        shares[name] = settled.mean()
        assert seen_apart(results[0][name], cutout)[settled].max(initial=0) <= 2, name
    with capsys.disabled():
        print("\nconverged:", ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))
    few = {name for name, share in shares.items() if share <= 0.9}
    assert few <= {"grey mask", "2 x 3"}  # alpha is the same everywhere; six pixels


@pytest.mark.parametrize("name", SOLVED)
def test_alpha_was_solved_for(results, name):
    """rembg takes the mask where matting raises a ValueError, and says nothing."""
    made = results[0]
    assert (made[name][..., 3] != made["L"][..., 3]).any()


def test_install_after_pymatting_itself_says_so():
    code = """
        import pymatting
        import trimatte.pymatting
        try:
            trimatte.pymatting.install()
        except ImportError as error:
            print(error)
    """
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}  # nothing is compiled
    call = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("install: expected that PyMatting is not imported yet, got pymatting from ")
    assert done.stdout.endswith("call trimatte.pymatting.install() before other imports\n")


CLEAN = """
    import pickle, sys
    import numpy as np
    from PIL import Image
    import trimatte.integrations.rembg as ours
    ours.install()
    import rembg.bg

    with open(sys.argv[1], "rb") as file:
        pixels, levels = pickle.load(file)
    photo, mask = Image.fromarray(pixels), Image.fromarray(levels)
    class Given:
        def predict(self, image, *args, **kwargs):
            return [mask]
    made = {
        "naive": rembg.bg.naive_cutout(photo, mask),
        "install": rembg.bg.decontaminate_cutout(photo, mask),
        "integrations": ours.remove(photo, alpha_matting=False, session=Given()),
    }
    with open(sys.argv[1], "wb") as file:
        pickle.dump({name: np.asarray(cutout.convert("RGBA")) for name, cutout in made.items()}, file)
"""


@pytest.fixture(scope="module")
def fringed(tmp_path_factory):
    """Cutouts of hair of one colour before saturated green, by the mask itself."""
    alpha = np.round(tm.datasets.hair(96, 128, seed=3).alpha * 255).astype(np.uint8)
    colour, green = np.array([200, 90, 60]), np.array([0, 220, 40])
    a = alpha[..., np.newaxis] / 255
    path = tmp_path_factory.mktemp("fringe") / "data"
    path.write_bytes(pickle.dumps((np.round(a * colour + (1 - a) * green).astype(np.uint8), alpha)))
    subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(CLEAN), str(path)], check=True)
    return pickle.loads(path.read_bytes()), alpha, colour


@pytest.mark.parametrize("way", ["install", "integrations"])
def test_soft_edges_lose_the_backgrounds_colour(fringed, way):
    """What rembg's own tests ask of its cleaning of colours, which needs no network."""
    made, alpha, colour = fringed
    soft = (alpha > 12) & (alpha < 243)
    errors = {name: np.linalg.norm(cut[soft][:, :3] - colour, axis=1).mean() for name, cut in made.items()}
    assert errors[way] < errors["naive"] / 10
    assert errors[way] < 10
    np.testing.assert_array_equal(made[way][..., 3], alpha)
    assert abs(made[way][alpha == 255][:, :3].astype(int) - colour).max() <= 2


@pytest.mark.skipif("REMBG_TESTS" not in os.environ, reason="REMBG_TESTS names no folder of rembg's own tests")
@pytest.mark.parametrize("name", ["test_decontaminate.py", "test_matting.py"])
@pytest.mark.parametrize("way", [["-m", "trimatte.pymatting"], []], ids=["trimatte", "pymatting"])
def test_its_own_tests_without_a_download_pass(name, way):
    call = [sys.executable, "-W", "ignore", *way, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
    folder = os.environ["REMBG_TESTS"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
