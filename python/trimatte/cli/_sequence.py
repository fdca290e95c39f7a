"""``trimatte sequence``."""

from __future__ import annotations

import glob
import os
import re
import warnings
from collections.abc import Iterator
from typing import Any

import click

from .._files import is_url, with_slashes
from .._picture_read import read_guide, read_opaque
from .._picture_write import save_pictures
from .._results import Results
from ..errors import PictureError, TrimatteWarning
from ..foreground import estimate_foreground
from ..sequence import solve_named
from ._app import app
from ._options import bits_option, solve_options
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
    prepare_outputs([(name, 1 if what == "alpha" else 4) for name in names], inputs, bits=bits)
    with session.phase("read"):
        picture = read_opaque(_name(images, numbers[0]))
    depth, space = picture.depth, colour_space or picture.colour_space
    Results(picture, space, bits).check([(names[0], 1 if what == "alpha" else 4)])
    given = {name: value for name, value in options.items() if value is not None}
    for number in numbers:
        if not os.path.exists(_name(trimaps, number)):
            raise PictureError(f"{_name(trimaps, number)}: no such file, but there is a frame {number}")
    frames: list[Any] = []  # the one that is to be solved
    guides: list[Any] = []

    def fed(queue: list[Any]) -> Iterator[Any]:
        while queue:
            yield queue.pop()

    records = []
    with session.progress() as progress:
        solves = solve_named(
            fed(frames),
            fed(guides),
            (f"frame {number}, {_name(images, number)}" for number in numbers),
            temporal=temporal,
            change=change,
            colour_space=space,
            threads=session.threads,
            **given,
        )
        for index, name in enumerate(names):
            with session.phase("read"):
                if index > 0:
                    picture = read_opaque(_name(images, numbers[index]))
                if picture.depth != depth:
                    frame = _name(images, numbers[index])
                    raise PictureError(
                        f"{frame}: expected {depth} samples as in the first frame, got {picture.depth}"
                    )
                frames.append(picture.pixels)
                guides.append(read_guide(_name(trimaps, numbers[index])))
            with session.phase("alpha"):
                alpha, info = next(solves)
            results = Results(picture, space, bits)
            if what == "alpha":
                written = results.alpha(name, alpha)
            else:
                with session.phase("foreground"):
                    foreground = estimate_foreground(
                        picture.pixels, alpha, colour_space=space, threads=session.threads
                    ).foreground
                written = results.cutout(name, foreground, alpha)
            with session.phase("write"):
                save_pictures([written])
            records.append({"output": name, "alpha": info.as_dict()})
            if progress is not None:
                progress(f"frame {numbers[index]}", (index + 1) / len(names))
    session.record["frames"] = records
    seconds = sum(session.seconds.values())
    session.say(f"{names[0]} ... {names[-1]}: {len(names)} frames, {seconds:.2f} s")
