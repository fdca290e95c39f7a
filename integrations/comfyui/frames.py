"""ComfyUI's tensors as arrays and back, frame by frame, with its bar of progress."""

import importlib
import sys

import numpy as np

# LoadImage gives such a mask for a picture without transparency.
EMPTY_MASK = (64, 64)


def library():
    """Return the package trimatte, or say how it is installed."""
    try:
        return importlib.import_module("trimatte")
    except ModuleNotFoundError as error:
        if error.name != "trimatte":
            raise
        raise RuntimeError(
            "trimatte is not installed for ComfyUI's Python; in a checkout of trimatte this installs it: "
            f'"{sys.executable}" -m pip install .'
        ) from None


def images(tensor, name):
    """Return an IMAGE as (B, H, W, 1) or (B, H, W, 3); its transparency, if it has any, is left out."""
    pixels = _array(tensor, name)
    if pixels.ndim != 4 or pixels.shape[3] not in (1, 3, 4):
        raise ValueError(f"{name}: expected an IMAGE (frames, height, width, 1, 3 or 4), got {pixels.shape}")
    return pixels[..., :3]


def masks(tensor, name):
    """Return a MASK as (B, H, W)."""
    planes = _array(tensor, name)
    if planes.ndim == 2:
        planes = planes[np.newaxis]
    if planes.ndim != 3:
        raise ValueError(f"{name}: expected a MASK (frames, height, width), got {planes.shape}")
    return planes


def _array(tensor, name):
    if not all(hasattr(tensor, part) for part in ("detach", "cpu", "numpy")):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    return tensor.detach().cpu().float().numpy()


def batch(name, value, **others):
    """Return the number of frames of several batches, after their sizes and numbers were compared.

    A batch of a single frame goes with every frame of the others.
    """
    size = value.shape[1:3]
    count = len(value)
    if not count:
        raise ValueError(f"{name}: expected at least one frame, got none")
    for other, frames in others.items():
        if frames.shape[1:3] != size:
            empty = frames.shape[1:3] == EMPTY_MASK
            hint = "Load Image gives an empty mask of 64 x 64 pixels for a picture without transparency"
            raise ValueError(
                f"{other}: expected {size[1]} x {size[0]} pixels as {name} has, got {frames.shape[2]} x "
                f"{frames.shape[1]}; {hint if empty else 'scale one of them to the size of the other'}"
            )
        if len(frames) != count and (1 not in (count, len(frames)) or not len(frames)):
            raise ValueError(f"{other}: expected 1 or {count} frames as {name} has, got {len(frames)}")
        count = max(count, len(frames))
    return count


def frame(values, index):
    """Return a frame, or the only one, clipped to [0, 1]: ComfyUI's own nodes may leave this range."""
    return np.clip(values[index if len(values) > 1 else 0], 0, 1)


def collected(count, work):
    """Return the results of ``work(index, progress)`` for all frames as a tuple of tensors.

    Parameters
    ----------
    count : int
        The number of frames.
    work : callable
        It returns a tuple of arrays, whose shapes are the same for all frames; `progress` is what
        trimatte's functions take by this name.
    """
    torch = importlib.import_module("torch")  # ComfyUI's own; nothing else here needs it
    bar = _Bar(count)
    out = ()
    for index in range(count):
        try:
            results = work(index, bar.of(index))
        except (ValueError, TypeError) as error:
            place = f"frame {index}: "
            if count > 1 and not str(error).startswith(place):
                error.args = (place + str(error),)
            raise
        if not out:
            out = tuple(np.empty((count, *result.shape), np.float32) for result in results)
        for whole, result in zip(out, results, strict=True):
            whole[index] = result
        bar.of(index + 1)("", 0)
    return tuple(torch.from_numpy(whole) for whole in out)


def each(work, **batches):
    """Return the results of ``work(frame of each batch, ..., progress=...)`` for all frames as tensors.

    The batches are called as the node's inputs are.
    """
    (name, first), *others = batches.items()

    def of_frame(index, progress):
        return work(*(frame(values, index) for values in batches.values()), progress=progress)

    return collected(batch(name, first, **dict(others)), of_frame)


class _Bar:
    """ComfyUI's bar of progress, where there is one; its button that stops the work is heeded.

    It shows how many of several frames are done, and of a single one how far its present phase is.
    """

    STEPS = 100  # of a frame

    def __init__(self, count):
        self.count, self.bar, self.refuse_stopped = count, None, None
        try:
            self.bar = importlib.import_module("comfy.utils").ProgressBar(count * self.STEPS)
            management = importlib.import_module("comfy.model_management")
            self.refuse_stopped = management.throw_exception_if_processing_interrupted
        except (ImportError, AttributeError):
            pass  # outside ComfyUI

    def of(self, index):
        """Return the function that takes the progress of a frame."""

        def report(phase, fraction):
            if self.refuse_stopped is not None:
                self.refuse_stopped()
            if self.bar is not None:
                done = index + (fraction if self.count == 1 else 0)
                self.bar.update_absolute(int(self.STEPS * done), self.count * self.STEPS)

        return report
