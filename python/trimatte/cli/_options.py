"""Options that several commands share, as decorators of a command's function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import Field
from typing import Any

import click
import numpy as np

from .. import foreground, methods
from .._chroma import KINDS
from .._pipeline.finishing import HIDDEN, finishing_of
from .._solver import LEAST_TOLERANCE, SOLVERS
from ..affinities._base import option_fields
from ..colour import SPACES
from ..finish import levels
from ..io.formats import BITS
from ..io.png import QUALITIES

OPEN_UNIT = click.FloatRange(0, 1, min_open=True, max_open=True)
Decorated = Callable[..., None]

PRIOR_HELP = f"A guess that counts beside the affinity: {', '.join(methods.PRIORS)}."
SEED_HELP = "Seed of the prior's random numbers. [default: 0]"
TOLERANCE_HELP = "Largest error of alpha (iterative solvers). [default: 0.001]"
LOW_HELP = "Trimap values up to this are background. [default: 0.1]"
HIGH_HELP = "Trimap values from this on are foreground. [default: 0.9]"
BAND_HELP = "Half the width of the unknown band. [default: 1 % of the longer side, more for a soft mask]"
LEARN_HELP = "Learn the colours that are known in the picture. [default: learn]"
EDGE_HELP = "Where the mask's edge is. [default: 0.5]"
BITS_HELP = "Bits of a sample that is written; 32, and 16 in EXR, are floats. [default: as the picture has]"
SPACE_HELP = "What the picture's colours are. [default: linear for floats (EXR), else srgb]"
CHROMA_HELP = "Whether chroma is blurred, as in most JPEG files. [default: auto for best, else full]"
SETTLE_HELP = "Clear faint residue far from edges. [default: settle for best, else no-settle]"
COLOURS_HELP = f"How the colours are found: {', '.join(foreground.METHODS)}. [default: {foreground.DEFAULT}]"
LEVELS_HELP = "Stretch alpha: up to BLACK it becomes 0, from WHITE on 1."
SPECKS_HELP = "Clear islands of fewer pixels than N, and fill such holes."
CHOKE_HELP = "Move the edge inwards by N pixels; outwards if N is negative."
CROP_HELP = "Crop what is written to the subject."
MARGIN_HELP = "Pixels to keep around the subject. [default: 0]"
HIDDEN_HELP = (
    "Colours where alpha is 0: the subject's go on, black, or the picture's own, which can be brought back. "
    "[default: extend]"
)
QUALITY_HELP = "How PNG is compressed: small makes a tenth less, in much more time. [default: fast]"
EXACT_HELP = "Let the layers reproduce the picture exactly. [default: exact]"


class MethodName(click.ParamType):  # type: ignore[type-arg]
    """The name of a method: an affinity, a prior, or AFFINITY+PRIOR.

    The parent is a generic class in new versions of click only, so that it cannot say its type.
    """

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a name that means nothing."""
        try:
            methods.meaning(value)
        except ValueError as error:
            self.fail(str(error).removeprefix("method: "), param, ctx)
        return str(value)


def solve_options(function: Decorated) -> Decorated:
    """Add the options of `trimatte.solve_alpha` and of all affinities, under the same names."""
    method_help = f"{', '.join(methods.names())}, or AFFINITY+PRIOR. [default: {methods.DEFAULT}]"
    options: tuple[tuple[str, Any, str, str], ...] = (
        ("--method", MethodName(), "NAME", method_help),
        ("--prior", click.Choice(list(methods.PRIORS)), "NAME", PRIOR_HELP),
        ("--seed", click.IntRange(0), "N", SEED_HELP),
        ("--solver", click.Choice(SOLVERS), "", "[default: auto]"),
        ("--tolerance", click.FloatRange(LEAST_TOLERANCE, 1), "X", TOLERANCE_HELP),
        ("--max-iterations", click.IntRange(1, 2**31 - 1), "N", "[default: 10000]"),
        *(affinity_option(name, fields) for name, fields in methods.options().items()),
        ("--chroma", click.Choice(KINDS), "", CHROMA_HELP),
        ("--settle/--no-settle", None, "", SETTLE_HELP),
        ("--known-weight", click.FloatRange(1e-12, 1e12), "X", "Let known pixels move a little."),
        ("--background-threshold", click.FloatRange(0, 1), "X", LOW_HELP),
        ("--foreground-threshold", click.FloatRange(0, 1), "X", HIGH_HELP),
    )
    function = space_option(function)
    for name, kind, metavar, text in reversed(options):
        function = click.option(name, type=kind, metavar=metavar or None, default=None, help=text)(function)
    return function


def affinity_option(name: str, fields: dict[str, Field[Any]]) -> tuple[str, Any, str, str]:
    """Return switch, type, metavar and help of an option that one or several affinities have.

    Parameters
    ----------
    name : str
        The option's name in Python.
    fields : dict of str to dataclasses.Field
        The option's field in each affinity that has it, by the affinity's name.
    """
    own = list(fields.values())
    switch, texts = "--" + name.replace("_", "-"), dict.fromkeys(field.metadata.get("help", "") for field in own)
    kinds = {type(field.default) for field in own}
    owners: dict[str, list[str]] = {}
    for owner, field in fields.items():
        owners.setdefault(_written(field.default), []).append(owner)
    defaults = ", ".join(f"{value} for {' and '.join(names)}" for value, names in owners.items())
    text = " ".join([*filter(None, texts), f"[default: {defaults}]"])
    if kinds == {bool}:
        return f"{switch}/--no-{switch[2:]}", None, "", text
    if str in kinds or bool in kinds:
        return switch, str, "TEXT", text
    lowest, highest = ([field.metadata.get(bound) for field in own] for bound in ("least", "most"))
    least = None if None in lowest else min(value for value in lowest if value is not None)
    most = None if None in highest else max(value for value in highest if value is not None)
    if kinds == {int}:
        return switch, click.IntRange(least, most), "N", text
    return switch, click.FloatRange(least, most), "X", text


def _written(value: object) -> str:
    """Write a default as people do: 1e-7, not 1e-07."""
    return str(value).replace("e-0", "e-").replace("e+0", "e")


def mask_options(function: Decorated) -> Decorated:
    """Add the options of `trimatte.matte_from_mask`, under the same names."""
    for option in (
        click.option("--learn/--no-learn", default=None, help=LEARN_HELP),
        click.option("--threshold", type=OPEN_UNIT, metavar="X", help=EDGE_HELP),
        click.option("--band", type=click.FloatRange(0, 1e6), metavar="N", help=BAND_HELP),
    ):
        function = option(function)
    return function


def space_option(function: Decorated) -> Decorated:
    """Add the option that says what the colours are."""
    return click.option("--colour-space", type=click.Choice(SPACES), help=SPACE_HELP)(function)


def bits_option(function: Decorated) -> Decorated:
    """Add the option of the depth of what is written."""
    choices = click.Choice([str(bits) for bits in BITS])
    return click.option("--bits", type=choices, callback=_whole, help=BITS_HELP)(function)


def _whole(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    return None if text is None else int(text)


CUT_OPTIONS = (
    *("output", "background", "alpha_output", "trimap_output"),
    *("foreground_method", "exact_composite", "bits", "colour_space", "finishing"),
)
"""The names of what `cut_options` and `space_option` give."""


def cut_options(function: Decorated) -> Decorated:
    """Add the options of what is done with alpha to make a cutout."""
    for option in (
        click.option("--exact-composite/--free-composite", default=True, help=EXACT_HELP),
        finish_options(),
        bits_option,
        colours_option,
        click.option("--trimap-output", metavar="FILE", help="Write the trimap that was solved too."),
        click.option("--alpha-output", metavar="FILE", help="Write alpha too."),
        click.option("--background", "-b", metavar="COLOUR|FILE", help="Put the cutout over this instead."),
        click.option("--output", "-o", required=True, metavar="FILE", help="PNG, WebP, TIFF or EXR (RGBA)."),
    ):
        function = option(function)
    return function


def finish_options(
    *, colours: bool = True, crop: bool = True, packed: bool = True
) -> Callable[[Decorated], Decorated]:
    """Add the options of what is done with a finished matte; they come as one `Finishing`.

    Parameters
    ----------
    colours : bool, default True
        Whether the command writes cutouts, which have hidden colours.
    crop : bool, default True
        Whether it may crop.
    packed : bool, default True
        False lets each option come under its own name instead.
    """
    wanted = [
        ("--levels", {"callback": _levels, "metavar": "BLACK,WHITE[,GAMMA]", "help": LEVELS_HELP}),
        ("--specks", {"type": click.FloatRange(0), "metavar": "N", "help": SPECKS_HELP}),
        ("--choke", {"type": click.FloatRange(-200, 200), "metavar": "N", "help": CHOKE_HELP}),
    ]
    if crop:
        wanted.append(("--crop", {"is_flag": True, "default": None, "help": CROP_HELP}))
        wanted.append(("--margin", {"type": click.IntRange(0), "metavar": "N", "help": MARGIN_HELP}))
    if colours:
        wanted.append(("--hidden-colour", {"type": click.Choice(HIDDEN), "help": HIDDEN_HELP}))
    wanted.append(("--quality", {"type": click.Choice(QUALITIES), "help": QUALITY_HELP}))
    fields = {name[2:].replace("-", "_"): name for name, _ in wanted}

    def decorate(function: Decorated) -> Decorated:
        @functools.wraps(function)
        def packing(*arguments: Any, **options: Any) -> None:
            own = given({name: options.pop(name) for name in fields})
            if "margin" in own and not own.get("crop"):
                raise click.UsageError("--margin: only with --crop")
            if packed:
                function(*arguments, finishing=finishing_of(own), **options)
            else:
                function(*arguments, **own, **options)

        for name, about in reversed(wanted):
            packing = click.option(name, **about)(packing)  # type: ignore[arg-type]
        return packing

    return decorate


def _levels(_: click.Context, option: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    """Turn ``BLACK,WHITE`` or ``BLACK,WHITE,GAMMA`` into three numbers."""
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
        black, white, gamma = numbers if len(numbers) == 3 else [*numbers, 1.0]
        levels(np.zeros((1, 1)), black, white, gamma)
    except ValueError as error:
        wanted = "expected BLACK,WHITE or BLACK,WHITE,GAMMA such as 0.02,0.98"
        reason = f"; {error}" if ": expected" in str(error) else ""
        raise click.BadParameter(f"{text!r}: {wanted}{reason}", param=option) from error
    return black, white, gamma


def colours_option(function: Decorated) -> Decorated:
    """Add the option of the method that finds the colours."""
    choices = click.Choice(list(foreground.METHODS))
    return click.option("--foreground-method", type=choices, metavar="NAME", help=COLOURS_HELP)(function)


def colours_options(function: Decorated) -> Decorated:
    """Add ``--foreground-method`` and the options of all methods, under the same names as in Python."""
    found: dict[str, dict[str, Field[Any]]] = {}
    for name, method in foreground.METHODS.items():
        for field in option_fields(method):
            found.setdefault(field.name, {})[name] = field
    for name, fields in reversed(found.items()):
        switch, kind, metavar, text = affinity_option(name, fields)
        function = click.option(switch, type=kind, metavar=metavar or None, default=None, help=text)(function)
    return colours_option(function)


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given; the library knows the defaults of the others."""
    return {name: value for name, value in options.items() if value is not None}
