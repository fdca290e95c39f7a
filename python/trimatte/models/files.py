"""Where the files of networks are, and where they come from."""

from __future__ import annotations

import os
from typing import NamedTuple

from .._check import meant
from ..errors import ModelError
from .presets import PRESETS

RELEASES = "https://github.com/danielgatis/rembg/releases/download/v0.0.0/"
"""Where rembg publishes networks as ONNX files."""


class Published(NamedTuple):
    """A file that rembg publishes.

    Attributes
    ----------
    family : str
        A key of `PRESETS`.
    file : str
        Its name there.
    megabytes : int
        Its size.
    """

    family: str
    file: str
    megabytes: int


PUBLISHED = {
    "birefnet-general": Published("birefnet", "BiRefNet-general-epoch_244.onnx", 973),
    "birefnet-general-lite": Published("birefnet", "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx", 224),
    "birefnet-portrait": Published("birefnet", "BiRefNet-portrait-epoch_150.onnx", 973),
    "isnet-general-use": Published("isnet", "isnet-general-use.onnx", 179),
    "isnet-anime": Published("isnet-anime", "isnet-anime.onnx", 176),
    "u2net": Published("u2net", "u2net.onnx", 176),
    "u2net_human_seg": Published("u2net", "u2net_human_seg.onnx", 176),
    "silueta": Published("u2net", "silueta.onnx", 44),
    "u2netp": Published("u2net", "u2netp.onnx", 5),
}
"""Networks by the name that rembg gives their files on the disk."""

_PREFERRED = ("birefnet-general", "birefnet-general-lite", "isnet-general-use", "u2net", "silueta", "u2netp")
_SUGGESTED = "isnet-general-use"


def folder() -> str:
    """Return the folder where rembg keeps its networks."""
    home = os.path.join(os.environ.get("XDG_DATA_HOME", "~"), ".u2net")
    return os.path.expanduser(os.environ.get("U2NET_HOME", home))


def located(model: str | None) -> str:
    """Return the file of a network.

    Parameters
    ----------
    model : str or None
        The file, or the name of one in `folder`; None stands for the best of those that are there
        and that may be used for any purpose.

    Raises
    ------
    ModelError
        If there is none. The message says which file to get, where, and its licence.
    """
    if model is None:
        found = next((path for name in _PREFERRED if os.path.isfile(path := _in_folder(name))), None)
        if found is None:
            raise ModelError(
                f"model: no network is in {folder()}, and trimatte brings and downloads none; "
                f"{_way_to_get(_SUGGESTED)}; a mask does as well: trimatte refine photo.jpg mask.png"
            )
        return found
    if os.path.isfile(model):
        return model
    if os.path.isdir(model):
        raise ModelError(f"{model}: expected the file of a network (.onnx), got a folder")
    if os.path.splitext(model)[1] or os.path.basename(model) != model:
        raise ModelError(f"{model}: no such file; expected the file of a network (.onnx), or a name; {_names()}")
    if os.path.isfile(_in_folder(model)):
        return _in_folder(model)
    if model in PUBLISHED:
        raise ModelError(f"{model}: this network is not in {folder()}; {_way_to_get(model)}")
    raise ModelError(f"{model}: no file, and no network in {folder()}{meant(model, PUBLISHED)}; {_names()}")


def _in_folder(name: str) -> str:
    return os.path.join(folder(), f"{name}.onnx")


def _way_to_get(name: str) -> str:
    family, file, megabytes = PUBLISHED[name]
    return (
        f"get {RELEASES}{file} ({megabytes} MB, licence {PRESETS[family].licence}), "
        f"and save it as {_in_folder(name)}, or pass its path"
    )


def _names() -> str:
    return f"names that are known are {', '.join(PUBLISHED)}"
