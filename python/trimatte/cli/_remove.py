"""``trimatte remove``."""

from __future__ import annotations

from typing import Any

import click

from .._pipeline import ModelMask
from ..models import PRESETS, load
from ._app import app
from ._matting import cut_out
from ._options import CUT_OPTIONS, SEED_HELP, cut_options, given, mask_options, space_option
from ._session import Session, command

MODEL_HELP = (
    "The network: an ONNX file, or the name of one that rembg has put into ~/.u2net (or $U2NET_HOME), such as "
    "u2netp. [default: the best of those that are there]"
)
PRESET_HELP = f"What the network is given: {', '.join(PRESETS)}. [default: by its name, or the size of its input]"


@command(
    app,
    "remove",
    "trimatte remove photo.jpg -o cutout.png",
    "trimatte remove photo.jpg -o cutout.png --model isnet-general-use",
    "trimatte remove photo.jpg -o cutout.png --model networks/own.onnx --preset isnet",
    "trimatte remove photo.jpg -o new.jpg --background beach.jpg",
)
@click.argument("image")
@cut_options
@click.option("--preset", type=click.Choice(list(PRESETS)), metavar="NAME", help=PRESET_HELP)
@click.option("--model", metavar="FILE|NAME", help=MODEL_HELP)
@mask_options
@click.option("--seed", type=click.IntRange(0), metavar="N", default=0, help=SEED_HELP)
@space_option
def remove(session: Session, image: str, model: str | None, preset: str | None, **options: Any) -> None:
    """Remove the background of IMAGE.

    A segmentation network finds the subject, and its mask is refined to alpha, as by 'trimatte
    refine'. The network is a file of yours: none comes with trimatte, and none is downloaded. It is
    run by onnxruntime, from the extra [models].
    """
    with session.phase("load"):
        network = load(model, preset=preset, threads=session.threads)
    session.record["model"] = network.path
    cut = {name: options.pop(name) for name in CUT_OPTIONS}
    cut_out(session, image, ModelMask(network, given(options)), [network.path], **cut)
