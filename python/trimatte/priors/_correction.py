"""Networks that were trained once and belong to the package: they correct alpha."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context
from .._solver import Settings, run_solver
from ..affinities import ClosedForm
from ._base import Guess, Labels, Pixels, Plane

Planes = npt.NDArray[np.float32]


def closed_form(image: Pixels, labels: Labels, guess: Guess | None, context: Context) -> Plane:
    """Return closed-form matting's alpha with a guess, as far as the solver gets."""
    alpha = np.asarray(labels == _check.FOREGROUND, np.float64 if image.dtype == np.float64 else np.float32)
    if (labels == _check.UNKNOWN).any():
        core = ClosedForm().core(image, labels, context)
        start = None if guess is None else guess.alpha
        run_solver(core, image, labels, guess, start, alpha, Settings(), context)
    return alpha.astype(np.float32, copy=False)


def correction_of(
    image: Pixels, labels: Labels, planes: Planes, networks: list[_core.FusionNetwork], context: Context
) -> Plane:
    """Return what networks that see these planes add to alpha, (H, W); 0 where the trimap knows.

    Parameters
    ----------
    image, labels, context
        As `Prior.guess` has them.
    planes : (N, H, W) ndarray of float32
        What the networks see besides colours and labels, between -1 and 1.
    networks : list of FusionNetwork
        Their mean counts, less where they disagree.
    """
    correction = np.zeros(labels.shape, np.float32)
    _core.fusion_correction(image, labels, planes, networks, correction, context.threads, context.monitor)
    return correction


def corrected(alpha: Plane, correction: Plane, labels: Labels) -> Plane:
    """Add the correction to the alpha of the unknown pixels, in place, and keep it in [0, 1]."""
    np.add(alpha, correction, out=alpha, where=labels == _check.UNKNOWN)
    return np.clip(alpha, 0, 1, out=alpha)


def as_it_is(filters: Plane) -> Plane:
    """Return filters, (3, 3, inputs, outputs), that see the picture as it is."""
    return filters


def turned(filters: Plane) -> Plane:
    """Return filters that see the picture turned by 90 degrees."""
    return np.flip(filters.swapaxes(0, 1), 0)


def mirrored(filters: Plane) -> Plane:
    """Return filters that see the picture mirrored across its second diagonal."""
    return np.flip(filters.swapaxes(0, 1), (0, 1))


View = Callable[[Plane], Plane]


@cache
def shipped_networks(file: str, version: int, views: tuple[tuple[int, View], ...]) -> list[_core.FusionNetwork]:
    """Return the networks of a file of the package.

    Parameters
    ----------
    file : str
        The file of weights.
    version : int
        The version of the maps that the caller makes.
    views : tuple of (int, callable)
        The number of each network in the file, and how it sees the picture.

    Raises
    ------
    RuntimeError
        If the weights are for other maps.
    """
    weights, record = shipped_weights(file)
    if record["maps_version"] != version:
        raise RuntimeError(f"{file}: made for maps {record['maps_version']}, expected {version}")
    return [network_of(weights, record["dilations"], number, view) for number, view in views]


def network_of(
    weights: dict[str, Any], dilations: list[int], number: int, view: View = as_it_is
) -> _core.FusionNetwork:
    """Return a network of a file of weights, with filters as this view has them."""
    layers = []
    for layer, dilation in enumerate(dilations):
        filters = weights[f"W{layer}"][number].astype(np.float32)
        bias = weights[f"b{layer}"][number].astype(np.float32)
        if len(filters) == 9:
            filters = view(filters.reshape(3, 3, *filters.shape[1:])).reshape(filters.shape)
        layers.append((np.ascontiguousarray(filters), bias, dilation))
    return _core.FusionNetwork(layers)


def shipped_weights(file: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the weights by name, first axis the networks, and the record of how they were made."""
    with (files(__package__) / file).open("rb") as opened, np.load(opened) as stored:
        weights = dict(stored)
    return weights, json.loads(str(weights.pop("record")))
