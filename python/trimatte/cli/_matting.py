"""``trimatte cutout``, ``alpha``, ``refine`` and ``foreground``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import numpy as np

from .. import _check
from .._picture import Picture
from .._picture_read import read_guide, read_opaque, read_single
from .._picture_write import save_pictures
from .._records import SolveInfo
from .._results import Results
from ..alpha import solve_alpha
from ..colour import displayed
from ..composite import composite
from ..foreground import estimate_foreground
from ..mask import MASK_WEIGHT, solve_from_mask
from ..scribbles import trimap_from_scribbles
from ._app import app
from ._options import EXACT_HELP, bits_option, cut_options, mask_options, solve_options, space_option
from ._pictures import Background, Pixels, prepare_outputs, space_of
from ._session import Session, command

SCRIBBLES_HELP = "IMAGE with white strokes on the foreground and black ones on the background."


def solved(session: Session, image: Pixels, trimap: Pixels, options: dict[str, Any]) -> tuple[Pixels, SolveInfo]:
    """Estimate alpha and put its record into the session's; the library knows the defaults."""
    given = {name: value for name, value in options.items() if value is not None}
    with session.phase("alpha"), session.progress() as progress:
        alpha, info = solve_alpha(image, trimap, threads=session.threads, progress=progress, **given)
    session.record["alpha"] = info.as_dict()
    return alpha, info


def summary(session: Session, output: str, image: Pixels, note: str = "") -> None:
    """Fill in what is reported about every picture."""
    height, width = image.shape[:2]
    session.record.update(output=output, width=width, height=height)
    total = sum(session.seconds.values())
    session.say(f"{output}: {width} x {height} pixels{note}, {total:.2f} s")


def solve_note(info: SolveInfo) -> str:
    """Say how alpha was found."""
    if info.solver == "none" and info.prior == info.method:
        return f" ({info.method})"
    return f", {info.unknowns} unknown" + (f" ({info.solver})" if info.unknowns else "")


def as_rgb(pixels: Pixels) -> Pixels:
    """Repeat the channel of a grey picture."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)


def cut_out(
    session: Session,
    image: str,
    guides: list[str],
    find_alpha: Callable[[Picture, str], tuple[Pixels, SolveInfo]],
    output: str,
    background: str | None,
    alpha_output: str | None,
    exact_composite: bool,
    bits: int | None,
    colour_space: str | None,
) -> None:
    """Read a picture, find its alpha, write the cutout or the composite."""
    outputs = [(output, 3 if background else 4), (alpha_output, 1)]
    prepare_outputs(outputs, [image, *guides, background or ""], bits=bits)
    with session.phase("read"):
        picture = read_opaque(image)
        pixels, space = picture.pixels, colour_space or picture.colour_space
        backdrop = Background.parse(background) if background else None

    results = Results(picture, space, bits)
    results.check(outputs)
    alpha, info = find_alpha(picture, space)
    with session.phase("foreground"), session.progress() as progress:
        foreground = estimate_foreground(
            pixels,
            alpha,
            exact_composite=exact_composite,
            colour_space=space,
            threads=session.threads,
            progress=progress,
        ).foreground
    with session.phase("composite"):
        if backdrop:
            back = backdrop.under(picture, image, space, colour_space)
            mixed = composite(as_rgb(foreground), alpha, back, colour_space="linear")
            pictures = [results.colours(output, mixed)]
        else:
            pictures = [results.cutout(output, foreground, alpha)]
    with session.phase("write"):
        if alpha_output:
            pictures.append(results.alpha(alpha_output, alpha))
        save_pictures(pictures)
    summary(session, output, pixels, solve_note(info))


def guiding_files(trimap: str | None, scribbles: str | None, options: dict[str, Any]) -> list[str]:
    """Return the files that say what is known; refuse if there is none."""
    for name in ("background_threshold", "foreground_threshold"):
        if scribbles is not None and options.get(name) is not None:
            raise click.UsageError(f"--{name.replace('_', '-')}: not with --scribbles")
    files = [path for path in (trimap, scribbles) if path is not None]
    if not files:
        raise click.UsageError("Missing argument 'TRIMAP', or option '--scribbles'.")
    return files


def read_trimap(
    session: Session, picture: Picture, space: str, trimap: str | None, scribbles: str | None
) -> Pixels:
    """Read what is known: a trimap, strokes, or a trimap with strokes added."""
    with session.phase("read"):
        known = None if trimap is None else read_guide(trimap)
        if scribbles is None:
            assert known is not None  # see `guiding_files`
            return known
        painted = read_opaque(scribbles)
        shown = displayed(painted.pixels, space_of(painted, space, picture))
        return trimap_from_scribbles(displayed(picture.pixels, space), shown, trimap=known)


@command(
    app,
    "cutout",
    "trimatte cutout photo.jpg trimap.png -o cutout.png",
    "trimatte cutout photo.jpg trimap.png -o cutout.png --method best",
    "trimatte cutout photo.jpg --scribbles painted.png -o cutout.png",
    "trimatte cutout photo.jpg trimap.png -o new.jpg --background beach.jpg",
    'trimatte cutout photo.jpg trimap.png -o new.png -b "#00ff88"',
)
@click.argument("image")
@click.argument("trimap", required=False)
@cut_options
@click.option("--scribbles", metavar="FILE", help=SCRIBBLES_HELP)
@solve_options
def cutout(
    session: Session,
    image: str,
    trimap: str | None,
    scribbles: str | None,
    output: str,
    background: str | None,
    alpha_output: str | None,
    exact_composite: bool,
    bits: int | None,
    colour_space: str | None,
    **options: Any,
) -> None:
    """Cut the foreground out of IMAGE, guided by TRIMAP.

    The result has straight alpha (EXR: premultiplied) and clean colours. With --background it is an opaque
    picture (JPEG is possible then): a colour is #rrggbb, #rgb or a CSS name; a picture
    is scaled to cover and cropped at its centre.
    """

    def find_alpha(picture: Picture, space: str) -> tuple[Pixels, SolveInfo]:
        known = read_trimap(session, picture, space, trimap, scribbles)
        return solved(session, picture.pixels, known, {**options, "colour_space": space})

    guides = guiding_files(trimap, scribbles, options)
    cut_out(
        session, image, guides, find_alpha, output, background, alpha_output, exact_composite, bits, colour_space
    )


@command(
    app,
    "refine",
    "trimatte refine photo.jpg mask.png -o cutout.png",
    "trimatte refine photo.jpg mask.png -o cutout.png --band 20 --no-learn",
)
@click.argument("image")
@click.argument("mask")
@cut_options
@mask_options
@click.option("--seed", type=click.IntRange(0), metavar="N", default=0, help="Of the network. [default: 0]")
@space_option
def refine(
    session: Session,
    image: str,
    mask: str,
    output: str,
    background: str | None,
    alpha_output: str | None,
    exact_composite: bool,
    bits: int | None,
    colour_space: str | None,
    band: float | None,
    threshold: float | None,
    learn: bool | None,
    seed: int,
) -> None:
    """Cut the foreground out of IMAGE, guided by a rough MASK.

    MASK is what a segmentation network found: grey, soft or hard, or a cutout whose transparency is
    used. Along its edge, and where it is in doubt, alpha is found anew.
    """

    def find_alpha(picture: Picture, space: str) -> tuple[Pixels, SolveInfo]:
        with session.phase("read"):
            rough = read_single(mask, "mask")
        with session.phase("alpha"), session.progress() as progress:
            alpha, info = solve_from_mask(
                picture.pixels,
                rough,
                band=band,
                threshold=0.5 if threshold is None else threshold,
                mask_weight=MASK_WEIGHT,
                learn=True if learn is None else learn,
                seed=seed,
                colour_space=space,
                threads=session.threads,
                progress=progress,
            )
        session.record["alpha"] = info.as_dict()
        return alpha, info

    cut_out(
        session, image, [mask], find_alpha, output, background, alpha_output, exact_composite, bits, colour_space
    )


@command(
    app,
    "alpha",
    "trimatte alpha photo.jpg trimap.png -o alpha.png",
    "trimatte alpha photo.jpg --scribbles painted.png -o alpha.png",
    "trimatte alpha photo.jpg trimap.png -o alpha.tif --bits 16 --json",
)
@click.argument("image")
@click.argument("trimap", required=False)
@click.option("--output", "-o", required=True, metavar="FILE", help="White is opaque.")
@bits_option
@click.option("--scribbles", metavar="FILE", help=SCRIBBLES_HELP)
@solve_options
def alpha(
    session: Session,
    image: str,
    trimap: str | None,
    scribbles: str | None,
    output: str,
    bits: int | None,
    colour_space: str | None,
    **options: Any,
) -> None:
    """Estimate the opacity of every pixel of IMAGE."""
    prepare_outputs([(output, 1)], [image, *guiding_files(trimap, scribbles, options)], bits=bits)
    with session.phase("read"):
        picture = read_opaque(image)
    space = colour_space or picture.colour_space
    results = Results(picture, space, bits)
    results.check([(output, 1)])
    known = read_trimap(session, picture, space, trimap, scribbles)
    result, info = solved(session, picture.pixels, known, {**options, "colour_space": space})
    with session.phase("write"):
        save_pictures([results.alpha(output, result)])
    summary(session, output, picture.pixels, solve_note(info))


@command(
    app,
    "foreground",
    "trimatte foreground photo.jpg mask.png -o cutout.png --with-alpha",
    "trimatte foreground photo.jpg alpha.png -o f.png --background-output b.png",
)
@click.argument("image")
@click.argument("alpha")
@click.option("--output", "-o", required=True, metavar="FILE", help="The colours of the foreground.")
@click.option("--background-output", metavar="FILE", help="Write the colours of the background too.")
@click.option("--with-alpha", is_flag=True, help="Write the foreground with ALPHA: a cutout.")
@click.option("--exact-composite/--free-composite", default=True, help=EXACT_HELP)
@bits_option
@space_option
def foreground(
    session: Session,
    image: str,
    alpha: str,
    output: str,
    background_output: str | None,
    with_alpha: bool,
    exact_composite: bool,
    bits: int | None,
    colour_space: str | None,
) -> None:
    """Estimate the colours of the foreground.

    They are found where ALPHA is soft. This removes the fringe of the old background.
    ALPHA is a grey picture, such as the soft mask of a segmentation network, or a
    cutout whose transparency is used.
    """
    outputs = [(output, 4 if with_alpha else 3), (background_output, 3)]
    prepare_outputs(outputs, [image, alpha], bits=bits)
    with session.phase("read"):
        picture = read_opaque(image)
        opacity = read_single(alpha, "alpha")
    space = colour_space or picture.colour_space
    results = Results(picture, space, bits)
    results.check(outputs)
    with session.phase("foreground"), session.progress() as progress:
        layers = estimate_foreground(
            picture.pixels,
            opacity,
            exact_composite=exact_composite,
            colour_space=space,
            threads=session.threads,
            progress=progress,
        )
    with session.phase("write"):
        if with_alpha:
            pictures = [results.cutout(output, layers.foreground, _check.alpha(opacity, opacity.shape))]
        else:
            pictures = [results.colours(output, layers.foreground)]
        if background_output:
            pictures.append(results.colours(background_output, layers.background))
        save_pictures(pictures)
    summary(session, output, picture.pixels)
