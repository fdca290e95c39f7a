"""``trimatte sequence``."""

from __future__ import annotations

import glob
import os
import re
import warnings
from typing import Any

import click

from .._pipeline import CHANNELS, Item, Run, matte
from .._pipeline.frames import Frame, Solves
from ..errors import PictureError, TrimatteWarning
from ..io.names import is_url, with_slashes
from ._app import app
from ._options import bits_option, given, solve_options
from ._pictures import prepare_outputs
from ._session import Session, command

TEMPORAL_HELP = "Hold what stands still to the frame before: 0.1 removes flicker. [default: 0]"
CHANGE_HELP = "Change of colour, of 1, that counts as motion. [default: 0.03]"
FIRST_HELP = "Number of the first frame. [default: the first there is]"


def _name(pattern: str, number: int) -> str:
    """Return the name of a frame."""
    try:
        return pattern % number
    except (TypeError, ValueError) as error:
        raise click.UsageError(f"{pattern}: expected one %d or %04d for the frame's number") from error


def _frames(pattern: str, first: int | None) -> list[int]:
    """Return the numbers of the frames that there are, from the first on, without a gap."""
    if first is None:
        found = [number for number in _numbers(pattern) if os.path.exists(_name(pattern, number))]
        if not found:
            raise PictureError(f"{pattern}: no such frame")
        first = min(found)
    numbers_there: list[int] = []
    while os.path.exists(_name(pattern, first + len(numbers_there))):
        numbers_there.append(first + len(numbers_there))
    if not numbers_there:
        raise PictureError(f"{_name(pattern, first)}: no such frame")
    missing = first + len(numbers_there)
    later = [number for number in _numbers(pattern) if number > missing]
    if later:
        warnings.warn(
            f"{_name(pattern, missing)}: no such frame; the {len(later)} from {min(later)} on are left out",
            TrimatteWarning,
            stacklevel=2,
        )
    return numbers_there


def _numbers(pattern: str) -> list[int]:
    """Return the numbers that names of this pattern have; a double percent sign means one."""
    parts = re.split(r"%\d*d", pattern.replace("%%", "\0"))
    if len(parts) != 2:
        raise click.UsageError(f"{pattern}: expected one %d or %04d for the frame's number")
    head, tail = (part.replace("\0", "%") for part in parts)
    names = re.compile(re.escape(with_slashes(head)) + r"(\d+)" + re.escape(with_slashes(tail)))
    found = glob.glob(glob.escape(head) + "*" + glob.escape(tail))
    return [int(match[1]) for name in found if (match := names.fullmatch(with_slashes(name)))]


@command(
    app,
    "sequence",
    "trimatte sequence in/%04d.png trimaps/%04d.png -o out/%04d.png",
    "trimatte sequence in/%d.jpg tri/%d.png -o a/%d.png --what alpha --temporal 0.1",
)
@click.argument("images")
@click.argument("trimaps")
@click.option("--output", "-o", required=True, metavar="PATTERN", help="Names of the results.")
@click.option("--what", type=click.Choice(["cutout", "alpha"]), default="cutout", show_default=True)
@bits_option
@click.option("--first", type=click.IntRange(0), metavar="N", help=FIRST_HELP)
@click.option("--temporal", type=click.FloatRange(0), metavar="X", default=0.0, help=TEMPORAL_HELP)
@click.option("--change", type=click.FloatRange(0, min_open=True), metavar="X", default=0.03, help=CHANGE_HELP)
@solve_options
def sequence(
    session: Session,
    images: str,
    trimaps: str,
    output: str,
    what: str,
    bits: int | None,
    first: int | None,
    temporal: float,
    change: float,
    colour_space: str | None,
    **options: Any,
) -> None:
    """Matte the frames of a sequence, one after another.

    Names hold %d or %04d for the frame's number; frames end where a number is missing. Each
    frame starts from the alpha of the one before.
    """
    for pattern in (images, trimaps, output):
        if is_url(pattern):
            raise click.UsageError(f"{pattern}: a sequence is read from local files")
    numbers = _frames(images, first)
    names = [_name(output, number) for number in numbers]
    if len(set(names)) < len(names):
        raise click.UsageError(f"{output}: expected one %d or %04d for the frame's number")
    inputs = [_name(pattern, number) for pattern in (images, trimaps) for number in numbers]
    prepare_outputs([(name, CHANNELS[what]) for name in names], inputs, bits=bits)
    for number in numbers:
        if not os.path.exists(_name(trimaps, number)):
            raise PictureError(f"{_name(trimaps, number)}: no such file, but there is a frame {number}")
    frames = [_name(images, number) for number in numbers]
    labels = [f"frame {number}, {frame}" for number, frame in zip(numbers, frames, strict=True)]
    solves = Solves(labels, temporal=temporal, change=change, options=given(options))
    records = []
    with session.progress() as progress:
        for index, (number, name) in enumerate(zip(numbers, names, strict=True)):
            guide = Frame(_name(trimaps, number), frames[index], solves)
            run = Run(session.threads, session.clock)
            matte(Item(frames[index], guide, {what: name}, colour_space, bits), run)
            records.append({"output": name, "alpha": run.record["alpha"]})
            if progress is not None:
                progress(f"frame {number}", (index + 1) / len(names))
    session.record["frames"] = records
    seconds = sum(session.seconds.values())
    session.say(f"{names[0]} ... {names[-1]}: {len(names)} frames, {seconds:.2f} s")
