"""The figures of docs/theory, from rendered scenes.

    python examples/figures/theory.py --output docs/theory

Needs matplotlib. Writes idea.png, closed_form.png, priors.png, solver.png and foreground.png.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from panels import panel, side_by_side, write

import trimatte as tm

BLUE, ORANGE, GREY = "#1f6fb4", "#d9731a", "#777777"


def drawn(path, figure):
    """Write a figure of matplotlib."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    write(path, np.asarray(canvas.buffer_rgba())[..., :3].copy())


def axes_of(figure, count):
    """Return axes side by side, without frames at the top and the right."""
    axes = figure.subplots(1, count)
    for each in np.atleast_1d(axes):
        each.spines[["top", "right"]].set_visible(False)
    return axes


def most_mixed(alpha, side):
    """Return where a square has the most half-transparent pixels, among those that are half background."""

    def sums(plane):
        total = np.pad(plane.astype(float).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        return total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]

    mixed = np.where(sums(alpha) < 0.5 * side**2, sums((alpha > 0.1) & (alpha < 0.9)), 0)
    y, x = np.unravel_index(np.argmax(mixed), mixed.shape)
    return np.s_[y : y + side, x : x + side]


def idea(folder, scene):
    """Show the affinity alone, the prior alone, and both."""
    scene = tm.datasets.dandelion(*scene.alpha.shape, noise=0.01)
    crop, unknown = most_mixed(scene.alpha, 100), scene.trimap == 128
    panels = [
        panel(scene.image, "picture", side=200, crop=crop),
        panel(scene.trimap, "trimap", side=200, crop=crop),
        panel(scene.alpha, "true alpha", side=200, crop=crop),
    ]
    for title, method in (
        ("affinity", "closed-form"),
        ("prior", "composite-network"),
        ("both", "closed-form+composite-network"),
    ):
        alpha = tm.estimate_alpha(scene.image, scene.trimap, method=method)
        error = tm.metrics.sad(alpha, scene.alpha, region=unknown)
        panels.append(panel(alpha, f"{title}: {error:.2f}", side=200, crop=crop))
    write(folder / "idea.png", side_by_side(panels, 3))


def closed_form(folder, scene):
    """Show one window, its colours, and the line that predicts its alpha from them."""
    side = 9
    y, x = np.array([part.start for part in most_mixed(scene.alpha, side)])
    window = np.s_[y : y + side, x : x + side]
    colours, alpha = scene.image[window].reshape(-1, 3), scene.alpha[window].ravel()
    system = np.column_stack([colours, np.ones(len(colours))])
    fit = system @ np.linalg.lstsq(system, alpha, rcond=None)[0]
    figure = Figure((9, 3), layout="constrained")
    picture, plane, line = axes_of(figure, 3)
    picture.imshow(scene.image[y - 15 : y + 24, x - 15 : x + 24], extent=(-15, 24, 24, -15))
    picture.plot([0, side, side, 0, 0], [0, 0, side, side, 0], color="white")
    picture.axis("off")
    shown = plane.scatter(colours[:, 0], colours[:, 2], c=alpha, cmap="viridis", s=16, vmin=0, vmax=1)
    plane.set(xlabel="red", ylabel="blue")
    figure.colorbar(shown, ax=plane, label="true alpha")
    line.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    line.scatter(fit, alpha, color=BLUE, s=16)
    line.set(xlabel="best fit of the colours", ylabel="true alpha")
    drawn(folder / "closed_form.png", figure)


def priors(folder, scene):
    """Show one unknown colour between the known ones, and what no pair of known colours explains."""
    unknown = scene.trimap == 128
    rng = np.random.default_rng(0)
    half = np.argwhere(unknown & (abs(scene.alpha - 0.5) < 0.02))
    place = half[len(half) // 2]
    near = np.hypot(*(np.indices(unknown.shape) - place[:, None, None])) < 60
    figure = Figure((8, 3.2), layout="constrained")
    plane, costs = axes_of(figure, 2)
    chosen = {}
    for name, label, colour in (("foreground", 255, ORANGE), ("background", 0, BLUE)):
        known = rng.permutation(scene.image[near & (scene.trimap == label)])[:250]
        plane.scatter(known[:, 0], known[:, 2], s=6, color=colour, label=f"known {name}")
        chosen[name] = known
    target = scene.image[tuple(place)]
    front, back = best_pair(target, chosen["foreground"], chosen["background"])
    plane.plot([front[0], back[0]], [front[2], back[2]], color="black", linewidth=1)
    plane.scatter([target[0]], [target[2]], marker="x", s=70, color="black", label="unknown")
    plane.set(xlabel="red", ylabel="blue")
    plane.legend(fontsize=8)
    guess = tm.priors.GlobalSampling(weight=1).estimate(scene.image, scene.trimap)
    cost = np.where(unknown, -np.log(np.maximum(guess.confidence, 1e-9)), np.nan)
    shown = costs.imshow(cost, cmap="viridis", vmin=2, vmax=8)
    costs.axis("off")
    figure.colorbar(shown, ax=costs, label="cost E")
    drawn(folder / "priors.png", figure)


def best_pair(target, front, back):
    """Return the pair of colours whose mixture is nearest to a colour."""
    difference = front[:, None] - back[None]
    alpha = ((target - back[None]) * difference).sum(-1) / (difference**2).sum(-1)
    alpha = np.clip(alpha, 0, 1)[..., None]
    miss = np.linalg.norm(alpha * front[:, None] + (1 - alpha) * back[None] - target, axis=-1)
    i, j = np.unravel_index(np.argmin(miss), miss.shape)
    return front[i], back[j]


def error_after(scene, exact, solver, steps):
    """Return the largest error of alpha after a number of iterations, and whether the solver had ended."""
    options = {"method": "closed-form", "solver": solver, "max_iterations": steps}
    try:
        alpha = tm.estimate_alpha(scene.image, scene.trimap, **options)
        return abs(alpha - exact).max(), True
    except tm.ConvergenceError as error:
        return abs(error.alpha - exact).max(), False


def solver(folder, scene):
    """Show the largest error over the iterations of two solvers."""
    exact = tm.estimate_alpha(scene.image, scene.trimap, method="closed-form", solver="cholesky")
    figure = Figure((6, 3.2), layout="constrained")
    plot = axes_of(figure, 1)
    for name, colour in (("cg", ORANGE), ("multigrid", BLUE)):
        taken, errors, steps = [], [], 1
        while steps < 3000:
            error, ended = error_after(scene, exact, name, steps)
            if ended:
                break
            taken.append(steps)
            errors.append(error)
            steps = max(steps + 1, round(steps * 1.25))
        plot.plot(taken, errors, ".-", color=colour, label=name)
        print(f"{name}: stops between {taken[-1]} and {steps} iterations")
    plot.axhline(1e-3, color=GREY, linestyle="--", linewidth=1)
    plot.set(xscale="log", yscale="log", xlabel="iterations", ylabel="largest error of alpha")
    plot.legend()
    drawn(folder / "solver.png", figure)


def foreground(folder, scene):
    """Show a cutout over a new background, with the picture's colours and with the foreground's."""
    scene = tm.datasets.dandelion(*scene.alpha.shape, noise=0.01)
    crop, new = most_mixed(scene.alpha, 100), (0.35, 0.2, 0.4)
    layers = tm.estimate_foreground(scene.image, scene.alpha)
    panels = [
        panel(tm.composite(scene.image, scene.alpha, new), "the picture's colours", side=260, crop=crop),
        panel(tm.composite(layers.foreground, scene.alpha, new), "the foreground's", side=260, crop=crop),
    ]
    write(folder / "foreground.png", side_by_side(panels, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("theory"), help="a folder, made if missing")
    parser.add_argument("--height", type=int, default=300)
    parser.add_argument("--width", type=int, default=400)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", tm.TrimatteWarning)
    scene = tm.datasets.hair(options.height, options.width, noise=0.01)
    for figure in (idea, closed_form, priors, solver, foreground):
        figure(options.output, scene)


if __name__ == "__main__":
    main()
