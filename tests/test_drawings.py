"""Drawings: flat colours, whose systems have the slowest modes. Solvers have to agree, or say that they do not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tolerances import ALPHA_TOLERANCE

import trimatte as tm


def band(height, width):
    """Background on the left, foreground on the right, all else unknown."""
    trimap = np.full((height, width), 0.5)
    trimap[:, :3] = 0
    trimap[:, -2:] = 1
    return trimap


def rings(soft, period):
    y, x = np.mgrid[:120, :160]
    distance = np.hypot(x - 80, y - 60) % period
    half = period / 2
    level = np.clip(distance - half, 0, 1) * np.clip(period - distance, 0, 1) if soft else distance < half
    grey = np.round(255 * level).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2), band(120, 160)


def target(k):
    """A nested drawing enlarged k times, foreground known in the middle."""
    picture = Image.new("RGB", (160, 120), "white")
    draw = ImageDraw.Draw(picture)
    for r in range(55, 5, -10):
        draw.ellipse((80 - r, 60 - r, 80 + r, 60 + r), fill="red" if r // 10 % 2 else "navy")
    trimap = np.zeros((120, 160), np.uint8)
    trimap[10:110, 20:140] = 128
    trimap[55:65, 75:85] = 255
    return tuple(np.asarray(a).repeat(k, 0).repeat(k, 1) for a in (picture, trimap))


def scanned(seed, noise):
    """Nested discs, antialiased, with faint noise: flat nowhere, yet with modes as slow as those of drawings."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(picture)
    for r in range(58, 2, -int(rng.integers(2, 10))):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        draw.ellipse((320 - 4 * r, 240 - 4 * r, 320 + 4 * r, 240 + 4 * r), fill=colour)
    image = np.asarray(picture.resize((160, 120), Image.Resampling.BOX)) / 255
    trimap = np.zeros((120, 160), np.uint8)
    trimap[20:100, 26:134] = 128
    trimap[57:63, 75:81] = 255
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 1), trimap


def discs(seed, noise, soft):
    """Nested discs with noise. Modes of middling eigenvalues hide their slowest."""
    rng = np.random.default_rng(seed)
    height, width = (int(v) for v in rng.integers(60, 150, 2))
    picture = Image.new("RGB", (4 * width, 4 * height), tuple(int(v) for v in rng.integers(0, 256, 3)))
    draw = ImageDraw.Draw(picture)
    x, y, r = 2 * width, 2 * height, 2 * min(height, width)
    while r > 8:
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
        r -= int(rng.integers(8, 40))
    image = np.asarray(picture.resize((width, height), Image.Resampling.BOX if soft else Image.Resampling.NEAREST))
    trimap = np.full((height, width), 0.5)
    if seed % 3 == 0:
        trimap[:, :3], trimap[:, -2:] = 0, 1
    else:
        trimap[0, 0], trimap[-1, -1] = 0, 1
    return np.clip(image / 255 + rng.normal(0, noise, image.shape), 0, 1), trimap


def pixels(colours, size, k):
    """Random pixels of a few colours, enlarged k times; one known pixel of each kind."""
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (colours, 3)).astype(np.uint8)
    image = palette[rng.integers(0, colours, (size, size))].repeat(k, 0).repeat(k, 1)
    trimap = np.full(image.shape[:2], 0.5)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    return image, trimap


def specks(seed):
    """Random pixels of five colours, few of them known: pairs of pixels that hang together by 1e-6."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(3, 40, 2)
    palette = rng.integers(0, 256, (5, 3)).astype(np.uint8)
    return palette[rng.integers(0, 5, shape)], rng.choice([0, 0.5, 1], shape, p=[0.01, 0.98, 0.01])


def posterised():
    scene = tm.datasets.net(69, 254, seed=1639)
    return np.round(scene.image * 255).astype(np.uint8) // 16 * 16, scene.trimap


def text():
    page = Image.new("RGB", (220, 220), "white")
    draw = ImageDraw.Draw(page)
    for y in range(0, 220, 14):
        draw.text((3, y), "The quick brown fox jumps over the lazy dog", fill="black")
    trimap = np.zeros((220, 220), np.uint8)
    trimap[20:200, 20:200] = 128
    trimap[90:130, 90:130] = 255
    return np.asarray(page), trimap


DRAWINGS = {
    "rings": (rings, False, 10),
    "soft rings": (rings, True, 16),
    "target": (target, 2),
    "scanned": (scanned, 7, 1e-5),
    "scanned, more noise": (scanned, 8, 1e-4),
    "discs": (discs, 132, 7e-4, False),
    "discs, more noise": (discs, 70090, 3e-3, False),
    "soft discs": (discs, 71151, 7e-4, True),
    "soft discs, more noise": (discs, 71230, 3e-3, True),
    "blocks": (pixels, 200, 12, 10),
    "pixel art": (pixels, 2, 16, 8),
    "few colours": (pixels, 5, 100, 1),
    "posterised": (posterised,),
}


@pytest.fixture(params=DRAWINGS)
def drawing(request):
    make, *arguments = DRAWINGS[request.param]
    return make(*arguments)


@pytest.mark.parametrize("solver", ["auto", "multigrid"])
def test_alpha_is_that_of_cholesky(drawing, solver):
    alpha, info = tm.solve_alpha(*drawing, solver=solver, method="closed-form")
    assert info.solver == "multigrid" or solver == "auto"
    assert 0 <= info.error_estimate <= ALPHA_TOLERANCE
    assert info.iterations <= 250
    assert (
        abs(alpha - tm.estimate_alpha(*drawing, solver="cholesky", method="closed-form")).max() <= ALPHA_TOLERANCE
    )


@pytest.mark.parametrize("seed", [2625, 14922, 24372, 46471])
def test_few_pixels_of_few_colours(seed):
    """What is alike on 4 x 4 pixels has nothing of a mode that is one on a pixel and minus one beside it."""
    image, trimap = specks(seed)
    alpha = tm.estimate_alpha(image, trimap, solver="multigrid", method="closed-form")
    assert (
        abs(alpha - tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")).max()
        <= ALPHA_TOLERANCE
    )


@pytest.mark.parametrize("arguments", [(16, 1e-4, True), (30, 7e-4, False), (30, 1e-4, True), (132, 7e-4, True)])
def test_a_lax_tolerance_is_kept_too(arguments):
    image, trimap = discs(*arguments)
    alpha = tm.estimate_alpha(image, trimap, solver="multigrid", tolerance=1e-2, method="closed-form")
    assert abs(alpha - tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")).max() <= 1e-2


def test_any_number_of_threads_gives_the_same_bits(drawing):
    one, two = (tm.estimate_alpha(*drawing, solver="multigrid", threads=n, method="closed-form") for n in (1, 2))
    assert (one == two).all()


def test_a_prior_is_solved_with_too():
    image, trimap = target(2)
    prior = np.random.default_rng(0).random(trimap.shape).astype(np.float32)
    found = {s: tm.estimate_alpha(image, trimap, prior=prior, solver=s) for s in ("multigrid", "cholesky")}
    assert abs(found["multigrid"] - found["cholesky"]).max() <= ALPHA_TOLERANCE


class TestCholeskyTakesOver:
    def test_where_multigrid_does_not_end(self):
        image, trimap = text()
        with pytest.raises(tm.ConvergenceError, match=r"multigrid: .* after 300 iterations"):
            tm.solve_alpha(image, trimap, solver="multigrid", max_iterations=300, method="closed-form")
        alpha, info = tm.solve_alpha(image, trimap, method="closed-form")
        assert info.solver == "cholesky"
        assert info.iterations == 0
        assert (alpha == tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")).all()

    def test_but_not_against_the_limit_that_was_asked_for(self):
        with pytest.raises(tm.ConvergenceError, match=r"multigrid: .* after 20 iterations"):
            tm.solve_alpha(*text(), max_iterations=20, method="closed-form")

    def test_in_the_soft_system_too(self):
        image, trimap = (a[:120, :120] for a in text())
        alpha = tm.estimate_alpha(image, trimap, known_weight=100.0)
        direct = tm.estimate_alpha(image, trimap, known_weight=100.0, solver="cholesky")
        assert abs(alpha - direct).max() <= ALPHA_TOLERANCE
