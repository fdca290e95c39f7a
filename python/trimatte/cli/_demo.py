"""``trimatte demo``."""

from __future__ import annotations

import os
from typing import Any

import click
import numpy as np

from .. import _check, datasets, methods, metrics
from .._pixels import eight_bits, quantized
from ..alpha import solve_alpha
from ..composite import composite, stacked
from ..errors import PictureError
from ..foreground import estimate_foreground
from ..io.write import Output, check_folder, save_pictures
from ._app import app
from ._matting import solve_note
from ._session import Session, command, tell

SCENES = {
    "dandelion": datasets.dandelion,
    "flower": datasets.flower,
    "glass": datasets.glass,
    "hair": datasets.hair,
    "net": datasets.net,
}
# Whose background the cutout gets.
NEW_BACKGROUND = {"dandelion": "hair", "flower": "dandelion", "glass": "net", "hair": "net", "net": "dandelion"}
NOISE_HELP = "Sensor noise: its standard deviation, of 1."
MAGENTA = (255, 0, 255)
PANEL_WIDTH = 300


def _overview(pictures: list[Any]) -> Any:
    """Put small versions of some pictures side by side."""
    from PIL import Image

    panels = []
    for pixels in pictures:
        image = Image.fromarray(eight_bits(pixels)).convert("RGB")
        size = (PANEL_WIDTH, max(1, round(PANEL_WIDTH * image.height / image.width)))
        panels.append(np.asarray(image.resize(size, Image.Resampling.LANCZOS)))
    return np.concatenate(panels, axis=1)


@command(
    app,
    "demo",
    "trimatte demo",
    "trimatte demo -o /tmp/hair --scene hair --height 2000 --width 3000",
)
@click.option("--output", "-o", default="demo", show_default=True, metavar="FOLDER", help="Made if missing.")
@click.option("--scene", type=click.Choice(list(SCENES)), default="dandelion", show_default=True)
@click.option("--height", type=click.IntRange(min=32), metavar="N", default=720, show_default=True)
@click.option("--width", type=click.IntRange(min=32), metavar="N", default=1080, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=0, show_default=True)
@click.option("--noise", type=click.FloatRange(min=0), metavar="X", default=0.0, help=NOISE_HELP)
def demo(session: Session, output: str, scene: str, height: int, width: int, seed: int, noise: float) -> None:
    """Matte a rendered scene and measure the error.

    The exact alpha of the scene is known. Writes image, trimap, alpha, cutout,
    two composites and an overview to FOLDER. SAD is the sum of absolute differences to the exact
    alpha over the unknown pixels, in thousands; MAE is their mean.
    """
    _check.number(noise, "noise")
    try:
        os.makedirs(output, exist_ok=True)
    except OSError as error:
        raise PictureError(f"{output}: cannot make the folder: {error.strerror}") from error
    paths = {
        name: os.path.join(output, f"{name}.png")
        for name in ("image", "trimap", "alpha", "cutout", "over_magenta", "over_picture", "overview")
    }
    for path in paths.values():
        check_folder(path)
    if session.bar is not None:
        tell(f"drawing '{scene}' and matting it by {methods.DEFAULT}; the pictures go to {output}", error=True)

    bar = session.bar
    with session.phase("render"):
        if bar is not None:
            bar.phase("render", 0)
        true = SCENES[scene](height, width, seed=seed, noise=noise)
        other = SCENES[NEW_BACKGROUND[scene]](height, width, seed=seed).background
        image = quantized(true.image, np.uint8)
    with session.phase("alpha"), session.progress() as progress:
        alpha, info = solve_alpha(image, true.trimap, threads=session.threads, progress=progress)
    session.record["alpha"] = info.as_dict()
    with session.phase("foreground"), session.progress() as progress:
        foreground = estimate_foreground(image, alpha, threads=session.threads, progress=progress).foreground
    with session.phase("composite"):
        pictures: dict[str, Any] = {
            "image": image,
            "trimap": true.trimap,
            "alpha": alpha,
            "cutout": stacked(foreground, alpha, np.uint8),
            "over_magenta": composite(quantized(foreground, np.uint8), alpha, MAGENTA),
            "over_picture": composite(foreground, alpha, other),
        }
        pictures["overview"] = _overview([pictures[name] for name in ("image", "trimap", "alpha", "over_picture")])
    with session.phase("write"):
        save_pictures([Output(paths[name], pixels) for name, pixels in pictures.items()])

    sad = metrics.sad(alpha, true.alpha, true.trimap)
    mae = metrics.mad(alpha, true.alpha, true.trimap)
    session.record.update(
        output=output, scene=scene, width=width, height=height, sad=round(sad, 4), mae=round(mae, 6)
    )
    session.say(f"{scene}, {width} x {height} pixels{solve_note(info)}")
    session.say(f"error of alpha over the unknown pixels: mean {mae:.5f}, SAD {sad:.3f} thousand")
    session.say(", ".join(f"{name} {seconds:.2f} s" for name, seconds in session.seconds.items()))
    for path in paths.values():
        session.say(path)
