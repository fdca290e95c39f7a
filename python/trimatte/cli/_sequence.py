"""``trimatte sequence``."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click

from .._arguments import SolveOptions
from .._film.guides import FrameModel, Guides, network, with_key_found
from .._film.run import digest, run_film, workers_and_threads
from .._film.sinks import ClipSink, PictureSink, Sink
from .._film.sources import Film, Pictures, Source, is_numbered, numbered, open_source
from .._film.work import Settings
from .._pipeline import CHANNELS, KnownBackground, RoughMask, Trimap
from .._pipeline.finishing import Finishing
from .._pipeline.frames import Solves
from ..errors import PictureError
from ..foreground import DEFAULT
from ..io.names import place_of
from ..io.video import is_clip
from ..io.video_write import check_clip, clip_format, shape_at, shape_of
from ..models import PRESETS
from ._app import app
from ._matting import KEY_HELP, PLATE_HELP, SEE_THROUGH_HELP, chosen_guide
from ._options import bits_option, colours_option, finish_options, given, mask_options, solve_options
from ._pictures import make_folder, prepare_outputs
from ._remove import MODEL_HELP, PRESET_HELP
from ._session import Session, command

MASKS_HELP = "Rough masks of the frames: a clip, a folder, or a name with %d. Black where the subject is missing."
OUTPUT_HELP = "A clip (.mov, .webm), a folder, or a name with %d for the frame's number."
TEMPORAL_HELP = "Hold what stands still to the frame before: 0.1 removes flicker (with trimaps). [default: 0]"
CHANGE_HELP = "Change of colour, of 1, that counts as motion. [default: 0.03]"
FIRST_HELP = "Number of the first frame. [default: the first there is]"
RATE_HELP = "Frames a second of a clip made of pictures. [default: 24]"
PROCESSES_HELP = "Frames side by side. [default: one per CPU]"
RESUME_HELP = "Leave out what a run that was stopped has done. [default: resume]"


@command(
    app,
    "sequence",
    "trimatte sequence clip.mp4 --masks masks.mp4 -o cutout.mov",
    "trimatte sequence clip.mp4 --masks masks/ -o frames/%04d.png",
    "trimatte sequence clip.mp4 --model u2netp -o cutout.mov",
    "trimatte sequence screen.mov --key auto -o cutout.webm",
    "trimatte sequence shot.mp4 --plate empty.png -o cutout.mov",
    "trimatte sequence in/%04d.png trimaps/%04d.png -o out/%04d.png",
    "trimatte sequence in/%d.jpg tri/%d.png -o a/%d.png --temporal 0.1",
)
@click.argument("images")
@click.argument("trimaps", required=False)
@click.option("--masks", metavar="CLIP|FOLDER|NAME", help=MASKS_HELP)
@click.option("--model", metavar="FILE|NAME", help=MODEL_HELP)
@click.option("--preset", type=click.Choice(list(PRESETS)), metavar="NAME", help=PRESET_HELP)
@click.option("--key", metavar="COLOUR", help=KEY_HELP)
@click.option("--plate", metavar="FILE", help=PLATE_HELP)
@click.option("--see-through", is_flag=True, help=SEE_THROUGH_HELP)
@click.option("--output", "-o", required=True, metavar="CLIP|FOLDER|NAME", help=OUTPUT_HELP)
@click.option("--what", type=click.Choice(["cutout", "alpha"]), default="cutout", show_default=True)
@bits_option
@click.option("--first", type=click.IntRange(0), metavar="N", help=FIRST_HELP)
@click.option("--rate", type=click.FloatRange(0, 1000, min_open=True), metavar="X", help=RATE_HELP)
@click.option("--processes", type=click.IntRange(1, 4096), metavar="N", help=PROCESSES_HELP)
@click.option("--resume/--anew", default=True, help=RESUME_HELP)
@click.option("--temporal", type=click.FloatRange(0), metavar="X", default=0.0, help=TEMPORAL_HELP)
@click.option("--change", type=click.FloatRange(0, min_open=True), metavar="X", default=0.03, help=CHANGE_HELP)
@finish_options(crop=False)
@colours_option
@mask_options
@solve_options
def sequence(
    session: Session,
    images: str,
    trimaps: str | None,
    masks: str | None,
    output: str,
    what: str,
    bits: int | None,
    first: int | None,
    rate: float | None,
    processes: int | None,
    resume: bool,
    temporal: float,
    change: float,
    colour_space: str | None,
    foreground_method: str | None,
    finishing: Finishing,
    **options: Any,
) -> None:
    """Matte a clip, or numbered pictures.

    IMAGES is a clip (MP4, MOV, MKV, WebM and others), a folder of pictures, or a name with %d or %04d
    for the frame's number. What says where the subject is has one of these forms too: TRIMAPS or
    --masks. Or a segmentation network finds the subject (--model), or the background is known
    (--key, --plate).

    A clip that is written is ProRes 4444 (.mov) or VP9 (.webm), both with transparency, and keeps
    times, colour tags and sound. Frames are matted side by side. A run that was stopped goes on
    where it was. A frame whose mask or trimap is black becomes transparent, and so does one in
    which the network finds nothing.

    Clips need PyAV: pip install "trimatte[video]".
    """
    frames = _usable(open_source, images, first)
    workers, threads = workers_and_threads(1 if temporal else processes, session.threads, frames.count())
    guides = _guides(frames, images, trimaps, masks, {**options, "threads": threads})
    if temporal and not isinstance(guides.guide, Trimap):
        raise click.UsageError("--temporal: only with trimaps")
    if isinstance(guides.guide, FrameModel):
        session.record["model"] = guides.guide.path
    settings = Settings(what, colour_space, bits, foreground_method or DEFAULT, threads, finishing)
    inputs = _inputs(frames, guides)
    if is_clip(output):
        settings, sink = _clip_sink(output, frames, guides, settings, inputs, rate, resume and not temporal)
    else:
        sink = _picture_sink(output, frames, guides, settings, inputs, resume and not temporal)
    solves = None
    if isinstance(guides.guide, Trimap) and temporal:
        labels = [still.label for still in frames.stills(lambda _: False)]
        solves = Solves(labels, temporal=temporal, change=change, options=guides.guide.options)
    try:
        with session.phase("frames"), session.progress() as progress:
            moved = None if progress is None else lambda n, of: progress(f"frame {n} of {of}", n / of)
            done = run_film(frames, guides, sink, settings, workers=workers, solves=solves, progress=moved)
    except BaseException:
        kept = sink.kept()
        if kept and not temporal:
            session.note(f"{kept} finished frames are kept; the same command goes on with the others")
        raise
    _report(session, output, sink, done)


def _usable(call: Any, *arguments: Any) -> Any:
    """Call a function whose ValueErrors are about the command's arguments."""
    try:
        return call(*arguments)
    except ValueError as error:
        if isinstance(error, PictureError):
            raise
        raise click.UsageError(str(error)) from error


def _guides(
    frames: Source, images: str, trimaps: str | None, masks: str | None, options: dict[str, Any]
) -> Guides:
    """Return what says where the subject is in each frame."""
    of_mask = {name: options.pop(name) for name in ("band", "threshold", "learn")}
    model, preset, threads = (options.pop(name) for name in ("model", "preset", "threads"))
    known = {"mask": None, **{name: options.pop(name) for name in ("key", "plate", "see_through")}}
    guiding = {
        "TRIMAPS": trimaps,
        "--masks": masks,
        "--key": known["key"],
        "--plate": known["plate"],
        "--model": model,
    }
    named = [name for name, value in guiding.items() if value is not None]
    if len(named) != 1:
        got = " and ".join(named) if named else "none"
        raise click.UsageError(f"expected one of TRIMAPS, --masks, --model, --key and --plate, got {got}")
    if preset is not None and model is None:
        raise click.UsageError("--preset: only with --model")
    if masks is None and model is None:
        for name in given(of_mask):
            raise click.UsageError(f"--{name}: only with --masks or --model")
    if known["key"] is not None or known["plate"] is not None:
        guide, _ = chosen_guide(None, None, known, options)
        assert isinstance(guide, KnownBackground)
        return Guides(None, with_key_found(guide, frames))
    if known["see_through"]:
        raise click.UsageError("--see-through: only with --key or --plate")
    if trimaps is not None:
        return Guides(_matching(frames, images, trimaps), Trimap("", options=given(options)))
    _refuse_with_masks(options, "--model" if masks is None else "--masks")
    refining = given({**of_mask, **options})
    if masks is not None:
        return Guides(_matching(frames, images, masks), RoughMask("", refining))
    return Guides(None, FrameModel(network(model, preset, threads).path, refining, preset, threads))


def _refuse_with_masks(options: dict[str, Any], guide: str) -> None:
    for name in given(options):
        if name not in SolveOptions.__optional_keys__ | {"seed"}:
            raise click.UsageError(f"--{name.replace('_', '-')}: not with {guide}")


def _matching(frames: Source, images: str, name: str) -> Source:
    """Open the guides; those with a number in their names are found by the frames' own numbers."""
    if isinstance(frames, Pictures) and is_numbered(images) and is_numbered(name):
        files = [_usable(numbered, name, number) for number in frames.numbers]
        for file, number in zip(files, frames.numbers, strict=True):
            if not os.path.exists(file):
                raise PictureError(f"{file}: no such file, but there is a frame {number}")
        return Pictures(name, files, frames.numbers)
    found: Source = _usable(open_source, name, None)
    return found


def _inputs(frames: Source, guides: Guides) -> list[str]:
    """Return the names of all files that are read."""
    files = [*frames.files, *(guides.source.files if guides.source is not None else [])]
    plate = guides.guide.plate if isinstance(guides.guide, KnownBackground) else None
    return [*files, *([plate] if plate else [])]


def _picture_sink(
    output: str, frames: Source, guides: Guides, settings: Settings, inputs: list[str], resume: bool
) -> Sink:
    numbers = frames.numbers if isinstance(frames, Pictures) else range(1, frames.count() + 1)
    if is_numbered(output):
        names = [numbered(output, number) for number in numbers]
    elif os.path.isdir(output) or not os.path.splitext(output)[1]:
        stems = [f"{number:06}" for number in numbers]
        if isinstance(frames, Pictures):
            stems = [os.path.splitext(os.path.basename(file))[0] for file in frames.files]
        names = [os.path.join(output, f"{stem}.png") for stem in stems]
    else:
        raise click.UsageError(f"{output}: expected one %d or %04d for the frame's number")
    prepare_outputs([(name, CHANNELS[settings.what]) for name in names], inputs, bits=settings.bits)

    def state(index: int) -> str:
        return digest(settings, guides, frames, index, index + 1)

    return PictureSink(names, state, resume=resume)


def _clip_sink(
    output: str,
    frames: Source,
    guides: Guides,
    settings: Settings,
    inputs: list[str],
    rate: float | None,
    resume: bool,
) -> tuple[Settings, Sink]:
    form = _usable(clip_format, output)
    if settings.bits is not None:
        raise click.UsageError("--bits: not for a clip; ProRes has 10 bits a sample, VP9 8")
    if place_of(output) in {place_of(path) for path in inputs}:
        raise click.UsageError(f"{output}: is an input; choose another name for the output")
    clip = frames.clip if isinstance(frames, Film) else None
    if clip is not None and rate is not None:
        raise click.UsageError("--rate: only for pictures; a clip keeps its own")
    make_folder(output)
    shape = shape_at(rate or 24) if clip is None else shape_of(clip)
    if clip is not None:
        check_clip(output, form, clip.width, clip.height)
    own = replace(settings, bits=16 if form.depth == "uint16" else 8)

    def state(first: int, last: int) -> str:
        return digest(own, guides, frames, first, last)

    sound = None if clip is None else clip.name
    return own, ClipSink(output, form, shape, frames.count(), state, sound=sound, resume=resume)


def _report(session: Session, output: str, sink: Sink, done: Any) -> None:
    session.record["frames"] = [
        {"output": sink.output(record["frame"]) or output, "alpha": record["alpha"]} for record in done.records
    ]
    session.record.update(output=output, skipped=done.skipped)
    seconds = session.seconds["frames"]
    rate = f", {len(done.records) / seconds:.2f} a second" if done.records and seconds else ""
    skipped = f", {done.skipped} done before" if done.skipped else ""
    session.say(f"{output}: {done.total} frames{skipped}, {seconds:.1f} s{rate}")
