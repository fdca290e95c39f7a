"""Connected regions of unknown pixels: each is a system of its own, and has the answer of all together."""

import numpy as np
import pytest
from own_affinity import FourNeighbours
from ring_picture import ring, wire
from scipy import ndimage, sparse
from tolerances import ALPHA_DIRECT, ALPHA_TOLERANCE

import trimatte as tm
from trimatte._regions import one_sided
from trimatte.errors import ConvergenceError, FactorizationError, TrimatteWarning


def several(count=6, height=72, width=90):
    """Several heads of hair, far apart, in two rows; between them what is known."""
    scenes = [tm.datasets.hair(height, width, seed=seed, noise=0.01) for seed in range(count)]
    rows = [np.concatenate([getattr(s, name) for s in part], 1) for name in ("image", "trimap", "alpha")
            for part in (scenes[: count // 2], scenes[count // 2 :])]  # fmt: skip
    image, trimap, alpha = (np.concatenate(rows[i : i + 2], 0) for i in (0, 2, 4))
    edge = np.ones((height, width), bool)
    edge[10:-10, 10:-10] = False
    edge = np.tile(edge, (2, count // 2))
    trimap = trimap.copy()
    trimap[edge & (trimap == 128)] = 0
    return image, trimap, alpha


IMAGE, TRIMAP, ALPHA = several()


def alone(image, trimap, **options):
    """Alpha with the unknown pixels of one region at a time; the others count as background."""
    unknown = trimap == 128
    number, count = ndimage.label(ndimage.binary_dilation(unknown, np.ones((3, 3))), np.ones((3, 3)))
    alpha = (trimap == 255).astype(np.float64)
    for region in range(1, count + 1):
        own = unknown & (number == region)
        rest = np.where(unknown & ~own, 0, trimap).astype(np.uint8)
        if own.any():
            alpha[own] = tm.estimate_alpha(image, rest, method="closed-form", **options)[own]
    return alpha


@pytest.mark.parametrize("solver", ["auto", "cholesky", "multigrid", "cg"])
@pytest.mark.parametrize("prior", [None, ALPHA])
def test_the_answer_is_that_of_each_region_alone(solver, prior):
    options = {"prior": prior, "start": 0.9 * ALPHA}
    alpha, info = tm.solve_alpha(IMAGE, TRIMAP, solver=solver, method="closed-form", **options)
    exact = alone(IMAGE, TRIMAP, solver="cholesky", **options)
    assert abs(alpha - exact).max() < ALPHA_TOLERANCE
    assert info.unknowns == (TRIMAP == 128).sum()
    assert sum(info.regions.values()) == info.regions.get("constant", 0) + info.regions[info.solver]
    if solver != "auto":
        assert info.solver == solver
    assert 0 <= info.error_estimate <= 1e-3


@pytest.mark.parametrize("radius", [2, 3])
def test_larger_windows_too(radius):
    image, trimap = IMAGE[:72, :180], TRIMAP[:72, :180]
    alpha = tm.estimate_alpha(image, trimap, radius=radius, tolerance=1e-6, method="closed-form")
    assert (
        abs(
            alpha
            - tm.estimate_alpha(image, trimap, radius=radius, solver="cg", tolerance=1e-6, method="closed-form")
        ).max()
        < 1e-5
    )


def test_soft_known_pixels_make_one_system_of_all():
    info = tm.solve_alpha(IMAGE[:60, :80], TRIMAP[:60, :80], known_weight=100.0)[1]
    assert info.unknowns == 60 * 80
    assert sum(info.regions.values()) == 1


def rings():
    """A ring, a region inside that touches only foreground, one at the border that touches only background."""
    rng = np.random.default_rng(3)
    image = ndimage.gaussian_filter(rng.random((160, 200, 3)), (4, 4, 0)).astype(np.float32)
    image = (image - image.min()) / (image.max() - image.min())
    trimap = np.zeros((160, 200), np.uint8)
    y, x = np.mgrid[:160, :200]
    radius = np.hypot(y - 80, x - 80)
    trimap[radius < 60] = 255
    trimap[abs(radius - 60) < 3] = 128
    trimap[abs(radius - 20) < 4] = 128
    trimap[5:9, 190:] = 128
    trimap[150, 20:190:17] = 128  # specks
    return image, trimap, abs(radius - 20) < 4


def test_a_region_that_touches_one_kind_takes_it_and_this_is_said():
    image, trimap, inside = rings()
    with pytest.warns(
        TrimatteWarning, match=r"trimap: 12 unknown regions touch known pixels of one kind only"
    ) as said:
        alpha, info = tm.solve_alpha(image, trimap, method="closed-form")
    assert said[0].filename == __file__
    assert info.regions == {"cholesky": 1, "constant": 12}
    assert (alpha[inside] == 1).all()
    assert (alpha[5:9, 190:] == 0).all()
    assert (alpha[150, 20:190:17] == 0).all()
    direct = tm.estimate_alpha(image, trimap, prior=np.full(trimap.shape, 0.5), confidence=1e-9, solver="cholesky")
    assert abs(alpha - direct).max() < 1e-5


def test_a_prior_decides_where_a_region_touches_one_kind():
    image, trimap, hole = ring()
    with pytest.warns(TrimatteWarning, match='1 unknown region touches .* method="best", or a prior'):
        assert tm.estimate_alpha(image, trimap, method="closed-form")[hole].min() == 1
    alpha, info = tm.solve_alpha(image, trimap, method="best")
    assert "constant" not in info.regions
    assert alpha[hole].mean() < 0.05


def test_a_wire_that_is_known_at_one_end_does_not_fade():
    image, trimap, place = wire()
    assert tm.estimate_alpha(image, trimap, method="closed-form")[place].mean() < 0.3
    alpha = tm.estimate_alpha(image, trimap)
    assert alpha[place].mean() > 0.8
    assert alpha[(trimap == 128) & ~place].mean() < 0.03


@pytest.mark.parametrize("prior", [tm.priors.OneSided(), tm.priors.OneSided(tm.priors.SharedSampling())])
def test_a_prior_for_such_regions_alone_leaves_the_others_to_the_bit(prior):
    image, trimap, hole = ring()
    message = (
        "1 unknown region touches known pixels of one kind only, so that known colours from elsewhere decided"
    )
    with pytest.warns(TrimatteWarning, match=message) as said:
        alpha, info = tm.solve_alpha(image, trimap, prior=prior)
    assert said[0].filename == __file__
    assert (info.guessed_regions, info.regions) == (1, {"cholesky": 2})
    assert alpha[hole].mean() < 0.05
    with pytest.warns(TrimatteWarning, match="so that alpha is that kind"):
        plain = tm.estimate_alpha(image, trimap, method="closed-form")
    rest = np.hypot(*(np.indices(trimap.shape) - 30)) > 15
    assert (alpha[rest] == plain[rest]).all()


def test_without_such_regions_nothing_is_guessed():
    class Never(tm.priors.Prior):
        def guess(self, image, labels, context):
            raise AssertionError

    scene = tm.datasets.hair(72, 90, seed=2)
    trimap = np.where(ndimage.binary_dilation(scene.trimap == 128, iterations=2), 128, scene.trimap)
    assert not one_sided(np.choose(trimap // 127, [0, 2, 1]).astype(np.uint8)).regions
    alpha, info = tm.solve_alpha(scene.image, trimap, prior=tm.priors.OneSided(Never()))
    assert info.guessed_regions == 0
    assert (alpha == tm.estimate_alpha(scene.image, trimap, method="closed-form")).all()


@pytest.mark.parametrize("radius", [1, 2])
def test_the_regions_found_are_those_of_the_solve(radius):
    rng = np.random.default_rng(5)
    coarse = ndimage.gaussian_filter(rng.normal(size=(90, 110)), 3)
    labels = np.digitize(coarse, np.quantile(coarse, [0.35, 0.7])).astype(np.uint8)
    labels = np.choose(labels, [0, 2, 1]).astype(np.uint8)
    labels[rng.random(labels.shape) < 0.01] = 2
    trimap = np.array([0, 255, 128], np.uint8)[labels]
    image = rng.random((90, 110, 3))
    found = one_sided(labels, 2 * radius)
    with pytest.warns(TrimatteWarning, match=f"trimap: {found.regions} unknown regions touch"):
        alpha, info = tm.solve_alpha(image, trimap, radius=radius, method="closed-form")
    assert info.regions["constant"] == found.regions > 1
    assert np.isin(alpha[found.mask], [0, 1]).all()
    assert not np.isin(alpha[(labels == 2) & ~found.mask], [0, 1]).all()


def test_bad_input_of_the_prior():
    with pytest.raises(TypeError, match=r"prior: expected an object of trimatte\.priors, got str"):
        tm.priors.OneSided("best")
    with pytest.raises(ValueError, match="reach: expected at least 1, got 0"):
        tm.priors.OneSided(reach=0)


def test_pages_of_letters_are_many_small_systems():
    """Text as drawn by a renderer: hundreds of letters, each an unknown region of its own."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", (500, 300), 255)
    pen = ImageDraw.Draw(page)
    for row in range(6):
        pen.text((10, 10 + 46 * row), "matting of many letters", fill=0, font=ImageFont.load_default(size=32))
    grey = np.asarray(page)
    near = ndimage.minimum_filter(grey, 7) < 128
    trimap = np.where(~near, 0, np.where(ndimage.maximum_filter(grey, 3) < 64, 255, 128)).astype(np.uint8)
    image = np.stack([grey] * 3, 2)
    alpha, info = tm.solve_alpha(image, trimap, method="closed-form")
    assert info.solver == "cholesky"
    assert info.regions["cholesky"] > 20
    assert (
        abs(alpha - tm.estimate_alpha(image, trimap, solver="multigrid", method="closed-form")).max()
        < ALPHA_TOLERANCE
    )
    one = tm.estimate_alpha(image, trimap, threads=1, method="closed-form")
    assert np.array_equal(one, tm.estimate_alpha(image, trimap, threads=3, method="closed-form"))


class AnyDistance(FourNeighbours):
    """The core is not told that only neighbours are coupled, so it finds the components of the graph."""

    reach = None


class Halves(AnyDistance):
    """Nothing couples the upper half of the picture to the lower one."""

    def laplacian(self, image, labels, context):
        L = super().laplacian(image, labels, context).tocoo()
        row, column = (np.arange(labels.size) // labels.shape[1] < labels.shape[0] // 2)[np.stack([L.row, L.col])]
        weight = np.where((L.row != L.col) & (row == column), -L.data, 0)
        W = sparse.csr_array((weight, (L.row, L.col)), L.shape)
        return sparse.csr_array(sparse.diags_array(W.sum(axis=1)) - W)


class TestComponentsOfGraphs:
    @pytest.mark.parametrize("solver", ["auto", "cholesky", "graph-multigrid", "cg"])
    def test_they_are_regions_of_their_own(self, solver):
        image, trimap, _ = rings()
        number, count = ndimage.label(trimap == 128)  # four neighbours
        kinds = [np.unique(trimap[ndimage.binary_dilation(number == c)]) for c in range(1, count + 1)]
        constant = sum(len(kind) == 2 for kind in kinds)  # unknown, and one kind of known pixels
        with pytest.warns(TrimatteWarning, match=f"{constant} unknown regions touch"):
            alpha, info = tm.solve_alpha(image, trimap, method=AnyDistance(beta=5), solver=solver)
        assert sum(info.regions.values()) == count
        assert info.regions["constant"] == constant > 0
        weak = {"prior": np.full(trimap.shape, 0.5), "confidence": 1e-9, "solver": "cholesky"}
        all_solved = tm.estimate_alpha(image, trimap, method=FourNeighbours(beta=5), **weak)
        assert abs(alpha - all_solved).max() < ALPHA_TOLERANCE

    def test_without_constant_regions_all_are_solved(self):
        number, count = ndimage.label(TRIMAP == 128)
        method = type("Plain", (AnyDistance,), {"constant_regions": False})(beta=5)
        alpha, info = tm.solve_alpha(IMAGE, TRIMAP, method=method)
        assert info.regions == {"cholesky": count}
        for c in range(1, count + 1):
            kinds = set(np.unique(TRIMAP[ndimage.binary_dilation(number == c)])) - {128}
            if len(kinds) == 1:
                assert abs(alpha[number == c] - kinds.pop() / 255).max() < ALPHA_DIRECT

    def test_one_that_nothing_known_reaches_is_refused(self):
        trimap = TRIMAP.copy()
        trimap[len(trimap) // 2 :] = 128
        with pytest.raises(FactorizationError, match=r"got 19440 unknown pixels .* the first of them \(72, 0\)"):
            tm.estimate_alpha(IMAGE, trimap, method=Halves())
        prior = tm.estimate_alpha(IMAGE, trimap, method=Halves(), prior=0.25 + 0 * ALPHA, confidence=1e-3)
        assert abs(prior[-1] - 0.25).max() < ALPHA_TOLERANCE

    def test_the_number_of_threads_changes_nothing(self):
        one, three = (
            tm.estimate_alpha(IMAGE, TRIMAP, method=AnyDistance(), threads=threads, prior=ALPHA)
            for threads in (1, 3)
        )
        assert np.array_equal(one, three)


def test_giving_up_is_said_once():
    with pytest.raises(ConvergenceError, match="after 2 iterations") as error:
        tm.estimate_alpha(IMAGE, TRIMAP, solver="cg", max_iterations=2, method="closed-form")
    assert error.value.alpha.shape == TRIMAP.shape
    assert (error.value.alpha[TRIMAP == 255] == 1).all()


def test_progress_and_stopping():
    seen = []
    tm.estimate_alpha(
        IMAGE, TRIMAP, solver="multigrid", progress=lambda *status: seen.append(status), method="closed-form"
    )
    assert all(0 <= fraction <= 1 for _, fraction in seen)

    def stop(phase, fraction):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        tm.estimate_alpha(IMAGE, TRIMAP, progress=stop, method="closed-form")
