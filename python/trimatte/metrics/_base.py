"""Parts of all measures: checks of their arguments, and records that print as tables."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check

Doubles = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]


class Record:
    """A dataclass of numbers that prints as a table and can become a dict."""

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]

    def __str__(self) -> str:
        """Return one line per measure, with its name, number and unit."""
        lines = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            number = f"{value:>12,}" if isinstance(value, int) else f"{value:>12.6g}"
            lines.append(f"{field.name:<13}{number}  {field.metadata['unit']}".rstrip())
        return "\n".join(lines)


def in_double(array: npt.NDArray[Any]) -> Doubles:
    """Return values as float64, integers as fractions of their full range."""
    if array.dtype.kind == "u":
        return np.asarray(array / _check.full_range(array.dtype))
    return array.astype(np.float64, copy=False)


def plane(value: npt.ArrayLike, shape: tuple[int, ...] | None, name: str, of: str = "") -> Doubles:
    """Check one number in [0, 1] for each pixel; `of` names what its shape has to match."""
    array = _check.plane(value, None, name)
    same_shape(array, shape, name, of)
    return in_double(array)


def same_shape(array: npt.NDArray[Any], shape: tuple[int, ...] | None, name: str, of: str) -> None:
    """Refuse another shape than that of the argument `of`."""
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape} to match {of}, got {array.shape}")


def pixel_region(
    trimap: npt.ArrayLike | None, region: npt.ArrayLike | None, shape: tuple[int, ...], of: str
) -> Region:
    """Return the pixels that count: the unknown ones of a trimap, those of a region, or all."""
    if trimap is not None and region is not None:
        raise ValueError("region: expected none beside a trimap, whose unknown pixels are the region")
    if region is not None:
        inside = _check.unmasked(region, "region")
        if inside.dtype != bool:
            raise TypeError(f"region: expected bool, got {inside.dtype}")
        same_shape(inside, shape, "region", of)
        name, pixels = "region", "pixels"
    elif trimap is not None:
        values = _check.plane(trimap, None, "trimap")
        labels = _check.labels(values, values.shape)
        same_shape(labels, shape, "trimap", of)
        inside = labels == _check.UNKNOWN
        name, pixels = "trimap", "unknown pixels"
    else:
        return np.ones(shape, bool)
    if not inside.any():
        raise ValueError(f"{name}: expected {pixels} to measure, got none")
    return np.ascontiguousarray(inside)
