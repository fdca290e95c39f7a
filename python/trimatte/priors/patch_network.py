"""A network that learns alpha from labelled patches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context, make_context
from .._records import Progress
from ._base import (
    MOST_WEIGHT,
    Guess,
    Labels,
    Pixels,
    Plane,
    Prior,
    checked,
    known_alpha,
    need_known,
    sureness,
)
from .patch_regression import patch_side

# Known pixels of each kind: fewer cannot be divided into a part to learn from and a part to check
# with.
LEAST_KNOWN = 16
MOST_RADIUS = 15
BLURS = (4.0, 16.0)
FEATURES = ("position", "blur", "distance")


def _feature_planes(features: tuple[str, ...], image: Pixels, labels: Labels | None) -> npt.NDArray[np.float32]:
    """Return the extra inputs as (K, H, W)."""
    height, width, channels = image.shape
    count = sum({"position": 2, "blur": len(BLURS) * channels, "distance": 2}[name] for name in set(features))
    planes = iter(result := np.empty((count, height, width), np.float32))
    if "position" in features:
        half = max(height, width) / 2
        y, x = np.ogrid[:height, :width]
        next(planes)[:] = 2 * (x / half - 1)
        next(planes)[:] = 2 * (y / half - 1)
    if "blur" in features:
        from scipy.ndimage import gaussian_filter

        top = np.float32(_check.full_range(image.dtype))
        for c in range(channels):
            channel = (image[..., c] / top).astype(np.float32)
            for sigma in BLURS:
                gaussian_filter(channel, sigma, mode="nearest", output=next(planes))
    if "distance" in features:
        if labels is None:
            raise ValueError("trimap: expected one, since the network was trained on distances to known pixels")
        need_known(labels, 1, "to measure distances to")
        from scipy.ndimage import distance_transform_edt

        for kind in (_check.FOREGROUND, _check.BACKGROUND):
            next(planes)[:] = distance_transform_edt(labels != kind)
    return result


def _moments(values: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Return the mean and 1 / deviation; the deviation counts as 1e-3 where it is smaller."""
    return float(values.mean()), 1 / max(float(values.std()), 1e-3)


@dataclass(frozen=True, eq=False)
class PatchNetworkModel:
    """A trained network; apply it to the same picture or to another frame. It can be pickled.

    Attributes
    ----------
    layers : tuple of (W, b)
        Weights (inputs, outputs) and biases (outputs,), float32, of each layer: ``x W + b``; all
        but the last are rectified.
    radius : int
        Radius of the patches, in pixels.
    features : tuple of str
        Extra inputs.
    steps : int
        Steps that training took.
    training_loss, validation_loss : list of float
        Mean squared error of the batches between two checks, and of the pixels held out at each
        check.
    """

    radius: int
    features: tuple[str, ...]
    steps: int
    training_loss: list[float] = field(repr=False)
    validation_loss: list[float] = field(repr=False)
    _network: _core.Network = field(repr=False)
    _depth: int = field(repr=False)
    _channels: int = field(repr=False)
    _mean: list[float] = field(repr=False)
    _scale: list[float] = field(repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_network": self.layers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        layers = state["_network"]
        network = _core.Network([len(W) for W, _ in layers] + [len(layers[-1][1])])
        for i, (W, b) in enumerate(layers):
            network.set_layer(i, W, b)
        self.__dict__.update(state, _network=network)

    @property
    def layers(self) -> tuple[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]], ...]:
        """Weights and biases of each layer, copies."""
        return tuple(self._network.layer(i) for i in range(self._depth))

    def predict(
        self,
        image: npt.ArrayLike,
        trimap: npt.ArrayLike | None = None,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Plane:
        """Return alpha, (H, W), of all pixels; with a trimap known pixels keep its value."""
        context = make_context(threads, progress)
        picture = _check.image(image)
        labels = None if trimap is None else _check.labels(trimap, picture.shape)
        extra = _feature_planes(self.features, picture, labels)
        return self._predicted(picture, labels, extra, context)

    def _predicted(
        self, image: Pixels, labels: Labels | None, extra: npt.NDArray[np.float32], context: Context
    ) -> Plane:
        if image.shape[2] != self._channels:
            raise ValueError(f"image: expected {self._channels} channels as in the training, got {image.shape[2]}")
        patch_side(self.radius, image.shape)
        alpha = np.zeros(image.shape[:2], np.float32) if labels is None else known_alpha(labels)
        _core.predict_patch_network(
            image,
            labels,
            self.radius,
            extra,
            self._mean,
            self._scale,
            self._network,
            alpha,
            context.threads,
            context.monitor,
        )
        return alpha


@dataclass(frozen=True)
class PatchNetwork(Prior):
    """A feed-forward network from a pixel's patch to its alpha, trained on the known pixels.

    Hidden layers are rectified, the output is linear, and ADAM [1]_ minimises the squared error.

    Parameters
    ----------
    radius : int, default 2
        Patches are ``2 radius + 1`` pixels wide; at most 15. Beyond the picture's border its
        nearest pixel is repeated.
    hidden : tuple of int, default (150, 150)
        Neurons of the hidden layers.
    features : tuple of str, default ()
        Extra inputs: "position" (x and y), "blur" (colours blurred by 4 and 16 pixels), "distance"
        (to the known foreground and background; on known pixels it gives the label away, so that
        the network learns nothing else). SciPy computes "blur" and "distance": Ctrl-C is heard
        after each plane of them.
    steps : int, default 2000
        Steps of ADAM, at most.
    batch : int, default 256
        Examples of each step.
    learning_rate : float, default 3e-3
        Learning rate of ADAM.
    balanced : bool, default True
        Take as many examples of foreground as of background, whichever the trimap has more of.
    validation : float, default 0.1
        Part of the known pixels that is held out. With 0, training is never stopped early.
    patience : int, default 10
        Training ends after so many checks, one every 50 steps, without a better error on what is
        held out. The weights of the best check are kept.
    weight : float, default 5e-4
        The confidence is ``weight * (abs(2 alpha - 1) + 0.05)``: the network counts where it is
        decided.
    seed : int, default 0
        Seed of the random numbers. The same seed gives the same bits, for any number of threads.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm
       1.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> model = tm.priors.PatchNetwork(hidden=(32,), steps=100).fit(scene.image, scene.trimap)
    >>> model.predict(scene.image).shape
    (96, 96)
    """

    radius: int = 2
    hidden: tuple[int, ...] = (150, 150)
    features: tuple[str, ...] = ()
    steps: int = 2000
    batch: int = 256
    learning_rate: float = 3e-3
    balanced: bool = True
    validation: float = 0.1
    patience: int = 10
    weight: float = 5e-4
    seed: int = 0

    def __post_init__(self) -> None:
        _check.at_least(self.radius, 0, "radius", MOST_RADIUS)
        _check.network_shape(self.hidden, "hidden")
        if isinstance(self.features, str):
            raise TypeError(f"features: expected a tuple of names, got {self.features!r}")
        for name in self.features:
            _check.one_of(name, FEATURES, "features")
        _check.at_least(self.steps, 1, "steps")
        _check.at_least(self.batch, 1, "batch", 2**20)
        _check.positive(self.learning_rate, "learning_rate")
        _check.flag(self.balanced, "balanced")
        _check.between(self.validation, 0, 0.9, "validation")
        _check.at_least(self.patience, 1, "patience")
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")
        _check.seed(self.seed)

    def fit(
        self,
        image: npt.ArrayLike,
        trimap: npt.ArrayLike,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> PatchNetworkModel:
        """Train on the known pixels of an image (arguments as `estimate`)."""
        picture, labels, context = checked(image, trimap, threads, progress)
        return self._fitted(picture, labels, _feature_planes(self.features, picture, labels), context)

    def _fitted(
        self, image: Pixels, labels: Labels, extra: npt.NDArray[np.float32], context: Context
    ) -> PatchNetworkModel:
        need_known(labels, LEAST_KNOWN, "to train on")
        side = patch_side(self.radius, image.shape)
        known = labels != _check.UNKNOWN
        top = _check.full_range(image.dtype)
        channels = image.shape[2]
        moments = [_moments(image[..., c][known] / top) for c in range(channels)]
        moments += [_moments(plane[known]) for plane in extra]
        mean, scale = ([pair[i] for pair in moments] for i in (0, 1))
        sizes = [side * side * channels + len(extra), *self.hidden, 1]
        network = _core.Network(sizes)
        network.initialise(self.seed, 1.0, 0.5)
        steps, training_loss, validation_loss = _core.fit_patch_network(
            image,
            labels,
            self.radius,
            extra,
            mean,
            scale,
            network,
            self.batch,
            self.steps,
            self.learning_rate,
            self.balanced,
            self.validation,
            50,
            self.patience,
            self.seed,
            context.threads,
            context.monitor,
        )
        return PatchNetworkModel(
            radius=self.radius,
            features=self.features,
            steps=steps,
            training_loss=training_loss,
            validation_loss=validation_loss,
            _network=network,
            _depth=len(sizes) - 1,
            _channels=channels,
            _mean=mean,
            _scale=scale,
        )

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Train, then predict the unknown pixels."""
        extra = _feature_planes(self.features, image, labels)
        alpha = self._fitted(image, labels, extra, context)._predicted(image, labels, extra, context)
        return Guess(alpha, np.float32(self.weight) * sureness(alpha))
