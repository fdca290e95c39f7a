"""``trimatte cutout``, ``alpha``, ``refine`` and ``foreground``."""

from __future__ import annotations

from typing import Any

import click

from .._arguments import MaskOptions, SolveOptions
from .._pipeline import CHANNELS, FinishedAlpha, Guide, Item, KnownBackground, RoughMask, Trimap, matte
from .._pipeline.finishing import Finishing
from .._records import SolveInfo
from ..foreground import DEFAULT
from ..foreground.estimate import chosen
from ._app import app
from ._options import (
    CUT_OPTIONS,
    EXACT_HELP,
    SEED_HELP,
    bits_option,
    colours_options,
    cut_options,
    finish_options,
    given,
    mask_options,
    solve_options,
    space_option,
)
from ._pictures import named_colour, parsed_backdrop, prepare_outputs
from ._session import Session, command

KEY_HELP = "The colour of an even background: auto, #rrggbb or a CSS name."
PLATE_HELP = "The same shot without the subject."
SEE_THROUGH_HELP = "The subject may be see-through inside: glass, veils, smoke (with --key or --plate)."
MASK_HELP = "A rough mask in place of TRIMAP, as for 'trimatte refine', which has more options."
# What method auto took, by the prior's name in the record; and why, where the command's input was the reason.
_TAKEN = {
    None: ("closed-form alone", ""),
    "fusion": ("closed-form+fusion", ""),
    "OneSided": ("closed-form and the strokes' own colours", ""),
    "SoftMask": ("closed-form with the mask as a guess of alpha", "a mask was given"),
    "Trusted": ("closed-form with the mask as a guess of alpha", "a mask was given"),
    "Combined": (
        "closed-form with the mask and the colours of known pixels as guesses of alpha",
        "a mask was given",
    ),
    "KnownBackground": ("closed-form with the known background as a guess of alpha", "the background is known"),
    "BackgroundFusion": (
        "closed-form with what a network makes of the known background",
        "the background is known",
    ),
}
SCRIBBLES_HELP = "IMAGE with white strokes on the foreground and black ones on the background."


def summary(session: Session, output: str, note: str = "") -> None:
    """Report a picture whose size is in the record."""
    session.record["output"] = output
    size = f"{session.record['width']} x {session.record['height']} pixels"
    session.say(f"{output}: {size}{note}, {sum(session.seconds.values()):.2f} s")


def solve_note(info: SolveInfo | None) -> str:
    """Say how alpha was found."""
    if info is None:
        return ""
    if info.solver == "none" and info.prior == info.method:
        return f" ({info.method})"
    note = f", {info.unknowns} unknown" + (f" ({info.solver})" if info.unknowns else "")
    note += {"half": ", chroma sharpened", "palette": ", steps of the palette smoothed"}.get(info.chroma, "")
    if info.choice and info.unknowns:
        note += f"; {_choice_note(info.prior, info.choice)}"
    return note


def _choice_note(prior: str | None, reason: str) -> str:
    """Say in words of the command what method auto took, and why."""
    taken, given_one = _TAKEN.get(prior, ("closed-form with a guess of alpha", "one was given"))
    return f"method auto took {taken}, since {given_one or reason}"


def cut_out(
    session: Session,
    image: str,
    guide: Guide,
    guides: list[str],
    *,
    output: str,
    background: str | None,
    alpha_output: str | None,
    trimap_output: str | None,
    foreground_method: str | None,
    **settings: Any,
) -> None:
    """Write the cutout or the composite.

    `guides` are the guide's files, the others are what `cut_options` and `space_option` give.
    """
    kind = "composite" if background else "cutout"
    wanted = ((kind, output), ("alpha", alpha_output), ("trimap", trimap_output))
    files = {name: path for name, path in wanted if path is not None}
    named = [(path, CHANNELS[name]) for name, path in files.items()]
    prepare_outputs(named, [image, *guides, background or ""], bits=settings["bits"])
    backdrop = parsed_backdrop(background) if background else None
    item = Item(image, guide, files, backdrop=backdrop, foreground_method=foreground_method or DEFAULT, **settings)
    info = matte(item, session.run("composite"))
    summary(session, output, solve_note(info))


def guiding_files(trimap: str | None, scribbles: str | None, options: dict[str, Any]) -> list[str]:
    """Return the files that say what is known; refuse if there is none."""
    for name in ("background_threshold", "foreground_threshold"):
        if scribbles is not None and options.get(name) is not None:
            raise click.UsageError(f"--{name.replace('_', '-')}: not with --scribbles")
    files = [path for path in (trimap, scribbles) if path is not None]
    if not files:
        raise click.UsageError(
            "Missing argument 'TRIMAP', or option '--mask', '--scribbles', '--key' or '--plate'."
        )
    return files


def chosen_guide(
    trimap: str | None, scribbles: str | None, known: dict[str, Any], options: dict[str, Any]
) -> tuple[Guide, list[str]]:
    """Return what says where the foreground is, and its files.

    `known` holds the other guides: mask, key, plate and see_through.
    """
    key, plate, see_through = known["key"], known["plate"], known["see_through"]
    if see_through and key is None and plate is None:
        raise click.UsageError("--see-through: only with --key or --plate")
    switches = {"--mask": known["mask"], "--plate": plate, "--key": key}
    switch = next((name for name, value in switches.items() if value is not None), None)
    if switch is None:
        return Trimap(trimap, scribbles, given(options)), guiding_files(trimap, scribbles, options)
    others = {"TRIMAP": trimap, "--scribbles": scribbles, **switches, switch: None}
    taken = (MaskOptions if switch == "--mask" else SolveOptions).__optional_keys__
    unwanted = [f"--{name.replace('_', '-')}" for name in given(options) if name not in taken]
    for name in (*(name for name, value in others.items() if value is not None), *unwanted):
        raise click.UsageError(f"{name}: not with {switch}")
    if switch == "--mask":
        return RoughMask(known["mask"], given(options)), [known["mask"]]
    if key not in (None, "auto") and named_colour(key) is None:
        raise click.UsageError(f"--key: expected a colour, #rrggbb or a CSS name, got {key}")
    guide = KnownBackground(key or "auto", plate, not see_through, given(options))
    return guide, [] if plate is None else [plate]


@command(
    app,
    "cutout",
    "trimatte cutout photo.jpg trimap.png -o cutout.png",
    "trimatte cutout photo.jpg trimap.png -o cutout.png --method best",
    "trimatte cutout photo.jpg --scribbles painted.png -o cutout.png",
    "trimatte cutout photo.jpg --mask mask.png -o cutout.png",
    "trimatte cutout shot.jpg --key auto -o cutout.png",
    "trimatte cutout shot.jpg --plate empty.jpg -o cutout.png",
    "trimatte cutout photo.jpg trimap.png -o new.jpg --background beach.jpg",
    'trimatte cutout photo.jpg trimap.png -o new.png -b "#00ff88"',
)
@click.argument("image")
@click.argument("trimap", required=False)
@cut_options
@click.option("--see-through", is_flag=True, help=SEE_THROUGH_HELP)
@click.option("--plate", metavar="FILE", help=PLATE_HELP)
@click.option("--key", metavar="COLOUR", help=KEY_HELP)
@click.option("--mask", metavar="FILE", help=MASK_HELP)
@click.option("--scribbles", metavar="FILE", help=SCRIBBLES_HELP)
@solve_options
def cutout(session: Session, image: str, trimap: str | None, scribbles: str | None, **options: Any) -> None:
    """Cut the foreground out of IMAGE, guided by TRIMAP.

    Or the background is known: with --key the subject stands before an even one, such as a green
    screen; with --plate there is the same shot without it.

    The result has straight alpha (EXR: premultiplied) and clean colours. With --background it is an
    opaque picture (JPEG is possible then): a colour is #rrggbb, #rgb or a CSS name; a picture is
    scaled to cover and cropped at its centre.
    """
    known = {name: options.pop(name) for name in ("mask", "key", "plate", "see_through")}
    cut = {name: options.pop(name) for name in CUT_OPTIONS}
    guide, files = chosen_guide(trimap, scribbles, known, options)
    cut_out(session, image, guide, files, **cut)


@command(
    app,
    "refine",
    "trimatte refine photo.jpg mask.png -o cutout.png",
    "trimatte refine photo.jpg mask.png -o cutout.png --band 20 --no-learn",
    "trimatte refine photo.jpg mask.png -o cutout.png --trimap-output trimap.png",
)
@click.argument("image")
@click.argument("mask")
@cut_options
@mask_options
@click.option("--seed", type=click.IntRange(0), metavar="N", default=0, help=SEED_HELP)
@space_option
def refine(session: Session, image: str, mask: str, **options: Any) -> None:
    """Cut the foreground out of IMAGE, guided by a rough MASK.

    MASK is what a segmentation network found: grey, soft or hard, or a cutout whose transparency is
    used. A smaller one of the same aspect is enlarged. Along its edge, and where it is in doubt, alpha
    is found anew.
    """
    cut = {name: options.pop(name) for name in CUT_OPTIONS}
    cut_out(session, image, RoughMask(mask, given(options)), [mask], **cut)


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
@finish_options(colours=False)
@click.option("--scribbles", metavar="FILE", help=SCRIBBLES_HELP)
@solve_options
def alpha(
    session: Session,
    image: str,
    trimap: str | None,
    scribbles: str | None,
    output: str,
    bits: int | None,
    finishing: Finishing,
    colour_space: str | None,
    **options: Any,
) -> None:
    """Estimate the opacity of every pixel of IMAGE."""
    prepare_outputs([(output, 1)], [image, *guiding_files(trimap, scribbles, options)], bits=bits)
    guide = Trimap(trimap, scribbles, given(options))
    info = matte(Item(image, guide, {"alpha": output}, colour_space, bits, finishing=finishing), session.run())
    summary(session, output, solve_note(info))


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
@colours_options
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
    foreground_method: str | None,
    bits: int | None,
    colour_space: str | None,
    **options: Any,
) -> None:
    """Estimate the colours of the foreground.

    They are found where ALPHA is soft. This removes the fringe of the old background.
    ALPHA is a grey picture, such as the soft mask of a segmentation network, or a
    cutout whose transparency is used.
    """
    outputs = {"cutout" if with_alpha else "foreground": output}
    if background_output:
        outputs["background"] = background_output
    named = [(path, CHANNELS[kind]) for kind, path in outputs.items()]
    prepare_outputs(named, [image, alpha], bits=bits)
    try:
        method = chosen(foreground_method or DEFAULT, given(options), "--foreground-method")
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    item = Item(
        image, FinishedAlpha(alpha), outputs, colour_space, bits, exact_composite, foreground_method=method
    )
    matte(item, session.run())
    summary(session, output)
