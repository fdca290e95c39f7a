"""The group of commands and what its help says."""

from __future__ import annotations

import click

from .. import __version__
from ._session import example_text


@click.group(
    epilog=example_text(
        "trimatte trimap mask.png -o trimap.png --erode 10 --dilate 20",
        "trimatte cutout photo.jpg trimap.png -o cutout.png",
        "trimatte refine photo.jpg mask.png -o cutout.png",
        "trimatte remove photo.jpg -o cutout.png",
        "trimatte composite cutout.png beach.jpg -o holiday.jpg",
        "trimatte batch 'in/*.jpg' --trimaps 'tri/{stem}.png' -o 'out/{stem}.png'",
        "trimatte demo -o demo",
        "trimatte evaluate scenes -o results",
        "trimatte COMMAND --help",
    )
)
@click.version_option(__version__)
def app() -> None:
    """Image matting: cut hair, fur, glass and smoke out of a picture.

    A trimap tells what is surely foreground (white), surely background (black)
    and unknown (grey). It is drawn by hand or made from a mask by 'trimatte
    trimap'.
    """
