"""``trimatte composite`` and ``trimap``."""

from __future__ import annotations

import click
import numpy as np

from .._pipeline import Results
from .._pipeline.backdrop import as_rgb
from .._pixels import unit_floats
from ..composite import composite as over
from ..errors import PictureError
from ..io.read import as_guide, read_finite, read_opaque, read_single
from ..io.write import Output, save_pictures
from ..trimap import trimap_from_mask
from ._app import app
from ._matting import summary
from ._options import bits_option, space_option
from ._pictures import parsed_backdrop, prepare_outputs
from ._session import Session, command

Radii = float | tuple[float, float]

REACH = "[default: 1 % of the longer side, 4 at least]"
THRESHOLD_HELP = "Values from this on are mask. [default: 0.5]"


@command(
    app,
    "composite",
    "trimatte composite cutout.png beach.jpg -o holiday.jpg",
    "trimatte composite cutout.png magenta -o check.png",
    "trimatte composite foreground.png beach.jpg --alpha alpha.png -o new.png",
)
@click.argument("cutout")
@click.argument("background")
@click.option("--output", "-o", required=True, metavar="FILE", help="An opaque picture.")
@click.option("--alpha", metavar="FILE", help="The opacity, if CUTOUT has none.")
@bits_option
@space_option
def composite(
    session: Session,
    cutout: str,
    background: str,
    output: str,
    alpha: str | None,
    bits: int | None,
    colour_space: str | None,
) -> None:
    """Put CUTOUT over BACKGROUND, a colour or a picture.

    A colour is #rrggbb, #rgb or a CSS name. A picture is scaled to cover and cropped at
    its centre. Scene-linear cutouts (EXR) are mixed as light is.
    """
    prepare_outputs([(output, 3)], [cutout, background, alpha or ""], bits=bits)
    backdrop = parsed_backdrop(background)
    with session.phase("read"):
        if alpha:
            picture = read_opaque(cutout)
            foreground, opacity = picture.pixels, read_single(alpha, "alpha")
        else:
            picture = read_finite(cutout)
            if picture.pixels.ndim == 2 or picture.pixels.shape[2] != 4:
                raise PictureError(f"{cutout}: expected a cutout with transparency; else give --alpha")
            foreground, opacity = picture.pixels[..., :3], as_guide(picture.pixels[..., 3], cutout)
        backdrop = backdrop.read()
    foreground, space = as_rgb(foreground), colour_space or picture.colour_space
    results = Results(picture, space, bits)
    results.check([(output, 3)])
    with session.phase("composite"):
        back = backdrop.under(picture, cutout, space, colour_space)
        if bits not in (None, 8) or not foreground.dtype == back.dtype == np.uint8:
            # Floats are rounded once, when they are written.
            foreground = unit_floats(foreground)
        result = over(foreground, opacity, back, colour_space="linear")
    with session.phase("write"):
        save_pictures([results.colours(output, result)])
    session.record.update(height=result.shape[0], width=result.shape[1])
    summary(session, output)


def radii(_: click.Context, option: click.Parameter, text: str | None) -> Radii | None:
    """Turn ``N``, or ``V,H``, into one number or two."""
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 2) or not all(0 <= number < float("inf") for number in numbers):
        raise click.BadParameter(f"{text!r}: expected pixels, zero or more: N, or V,H", param=option)
    return (numbers[0], numbers[1]) if len(numbers) == 2 else numbers[0]


@command(
    app,
    "trimap",
    "trimatte trimap mask.png -o trimap.png --erode 10 --dilate 20",
    "trimatte trimap rough_cutout.png -o trimap.png --erode 8,4 --dilate 30",
)
@click.argument("mask")
@click.option("--output", "-o", required=True, metavar="FILE", help="Black, grey and white.")
@click.option("--erode", callback=radii, metavar="N", help=f"Reach of the band into the mask. {REACH}")
@click.option("--dilate", callback=radii, metavar="N", help=f"Reach of the band out of it. {REACH}")
@click.option("--threshold", type=float, metavar="X", default=0.5, help=THRESHOLD_HELP)
def trimap(
    session: Session, mask: str, output: str, erode: Radii | None, dilate: Radii | None, threshold: float
) -> None:
    """Make a trimap from MASK.

    A band around the mask's edge becomes unknown. MASK is a grey picture, white where
    the foreground is, or a cutout whose transparency is used.

    Choose --dilate, in pixels, as long as the longest hair that sticks out of the mask,
    and --erode as far as the mask strays over the true edge. V,H instead of N sets a
    vertical and a horizontal reach.
    """
    if not 0 < threshold <= 1:
        raise click.UsageError(f"--threshold: expected a number in (0, 1], got {threshold:g}")
    prepare_outputs([(output, 1)], [mask])
    with session.phase("read"):
        pixels = read_single(mask, "mask")
    usual = max(4.0, round(0.01 * max(pixels.shape)))
    with session.phase("trimap"):
        result = trimap_from_mask(
            pixels,
            erode=usual if erode is None else erode,
            dilate=usual if dilate is None else dilate,
            threshold=threshold,
        )
    unknown = float(np.mean(result == 128))
    session.record["unknown"] = round(unknown, 6)
    with session.phase("write"):
        save_pictures([Output(output, result)])
    session.record.update(height=result.shape[0], width=result.shape[1])
    summary(session, output, f", {unknown:.1%} unknown")
