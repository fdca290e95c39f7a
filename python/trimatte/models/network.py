"""A network's file, run by onnxruntime."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from .._runtime.threads import thread_count
from ..errors import ModelError, warn
from . import presets
from .files import located
from .presets import PRESETS, Preset

Array = npt.NDArray[Any]

_MULTIPLE = 32  # pixels; sides of a picture that keeps its aspect
_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
# An answer may leave [0, 1] by so much through rounding; one that leaves it by more is logits.
_ROUNDING = 0.01
_OTHER = "try another file, or give a mask"


class Network:
    """A segmentation network that is ready to be asked; `load` makes one.

    Attributes
    ----------
    path : str
        Its file.
    preset : Preset
        What it is given, and how its answer is read.
    """

    def __init__(self, path: str, preset: str | Preset | None, threads: int | None) -> None:
        self.path = path
        self._session = _opened(path, thread_count(threads))
        self._input, self._dtype, self._size = _one_picture(self._session, path)
        self.preset = _chosen(preset, path, self._size)

    def __call__(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the mask of a picture.

        Parameters
        ----------
        picture : (H, W, 3) ndarray of uint8
            Display colours.

        Returns
        -------
        (h, w) ndarray of float32
            In [0, 1], in the network's own size.

        Raises
        ------
        ModelError
            If the network fails, or answers with anything but one mask.
        """
        try:
            answers = self._session.run(None, {self._input: self._given(picture)})
        except Exception as error:
            raise ModelError(f"{self.path}: the network failed: {_one_line(error)}; {_OTHER}") from error
        values: Array = one_plane(answers[0] if answers else None, self.path).astype(np.float32)
        if values.min() < -_ROUNDING or values.max() > 1 + _ROUNDING:
            values = 1 / (1 + np.exp(-np.clip(values, -80, 80)))
        values = np.clip(values, 0, 1)
        least, most = values.min(), values.max()
        if self.preset.stretched and most >= 0.5 and least < most:
            values = (values - least) / (most - least)
        return np.asarray(values, np.float32)

    def _given(self, picture: npt.NDArray[np.uint8]) -> Array:
        """Return what the network is given: (1, 3, h, w)."""
        from PIL import Image

        height, width = self._size if self._size is not None else _free_size(picture.shape, self.preset)
        scaled = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
        values = np.asarray(scaled, np.float32)
        white = max(1.0, float(values.max())) if self.preset.from_brightest else 255.0
        mean, deviation = (np.asarray(three, np.float32) for three in (self.preset.mean, self.preset.deviation))
        values = (values / np.float32(white) - mean) / deviation
        return np.ascontiguousarray(values.transpose(2, 0, 1)[np.newaxis], self._dtype)


def load(
    model: str | os.PathLike[str] | None = None, *, preset: str | Preset | None = None, threads: int | None = None
) -> Network:
    """Open the file of a segmentation network, to be asked about several pictures.

    Parameters
    ----------
    model : str or path-like, optional
        An ONNX file, or the name of one in the folder where rembg keeps its own (``U2NET_HOME``, else
        ``~/.u2net``), such as "u2netp". By default the best of those that are there is taken.
    preset : str or Preset, optional
        What the network is given: a key of `PRESETS`, or a `Preset`. The default follows the file's
        name, and where that says nothing the size of the picture that the file asks for.
    threads : int, optional
        By default all usable cores.

    Returns
    -------
    Network
        What `mask_from_model` takes as `model`.

    Raises
    ------
    ModelError
        If onnxruntime is not installed (extra ``[models]``); if there is no such file, it is damaged,
        or it asks for anything but one picture. Nothing is downloaded.
    ValueError, TypeError
        If an argument is not as described.
    """
    name = None if model is None else _check.path(model)
    return Network(located(name), preset, threads)


def one_plane(answer: Any, name: str) -> Array:
    """Return an answer as (h, w); refuse one that is empty, has several planes or is no number."""
    if answer is None or isinstance(answer, str):
        got = "nothing" if answer is None else "a text"
        raise ModelError(f"{name}: expected one mask as the answer, got {got}; {_OTHER}")
    plane = np.asarray(answer)
    while plane.ndim > 2 and 1 in (plane.shape[0], plane.shape[-1]):
        plane = plane[0] if plane.shape[0] == 1 else plane[..., 0]
    if plane.ndim != 2 or not plane.size or plane.dtype.kind not in "bfiu":
        got = f"{plane.dtype} of shape {np.shape(answer)}"
        raise ModelError(f"{name}: expected one mask (h, w) as the answer, got {got}; {_OTHER}")
    wrong = 0 if plane.dtype.kind != "f" else plane.size - np.count_nonzero(np.isfinite(plane))
    if wrong:
        raise ModelError(f"{name}: {wrong} of {plane.size} numbers of the answer are not finite; {_OTHER}")
    return plane


def _opened(path: str, threads: int) -> Any:
    """Return onnxruntime's session on a file."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise
        message = 'model: a network needs onnxruntime: pip install "trimatte[models]"'
        raise ModelError(message) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is in the exception
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"{path}: expected an ONNX file, got {os.path.getsize(path)} bytes that onnxruntime cannot open "
            f"({_one_line(error)}); a download may have been cut off: get the file again"
        ) from error


def _one_picture(session: Any, path: str) -> tuple[str, Any, tuple[int, int] | None]:
    """Return the name, the dtype and the (height, width) of the picture that a session asks for."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs) or "none"
        raise ModelError(f"{path}: expected a network with one input, a picture, got inputs {names}; {_OTHER}")
    shape, kind = list(inputs[0].shape), inputs[0].type
    if len(shape) != 4 or shape[1] != 3 or (isinstance(shape[0], int) and shape[0] != 1):
        got = f"{kind} of shape {shape}"
        raise ModelError(f"{path}: expected one picture (1, 3, height, width) as the input, got {got}; {_OTHER}")
    if kind not in _FLOATS:
        raise ModelError(f"{path}: expected an input of floats, got {kind}; {_OTHER}")
    height, width = shape[2:]
    size = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    return inputs[0].name, _FLOATS[kind], size


def _chosen(preset: str | Preset | None, path: str, size: tuple[int, int] | None) -> Preset:
    """Return what is asked for, or what name and size of the input say."""
    if isinstance(preset, Preset):
        return preset
    if preset is not None:
        return PRESETS[_check.one_of(preset, tuple(PRESETS), "preset")]
    family = presets.named(os.path.splitext(os.path.basename(path))[0])
    if family is None:
        side = None if size is None else size[0]
        family = presets.of_side(side)
        if family is None:
            families = ", ".join(PRESETS)
            raise ModelError(
                f"{path}: neither the name nor the input's side, {side} pixels, says which family the network is "
                f"of; pass preset, one of {families}, or a trimatte.models.Preset"
            )
        asks = "pictures of any size" if side is None else f"pictures of {side} pixels"
        warn(f"{path}: it asks for {asks} and is taken for one of the family {family}; preset says otherwise")
    return PRESETS[family]


def _free_size(shape: tuple[int, ...], preset: Preset) -> tuple[int, int]:
    """Return the (height, width) for a network that takes any."""
    if not preset.keeps_aspect:
        return preset.side, preset.side
    scale = preset.side / min(shape[:2])
    height, width = (max(1, round(side * scale / _MULTIPLE)) * _MULTIPLE for side in shape[:2])
    return height, width


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:200]}..."
