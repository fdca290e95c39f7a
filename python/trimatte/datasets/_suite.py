"""The suite of 24 rendered samples, which show what makes matting hard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._pixels import quantized
from ._dandelion import dandelion
from ._dataset import Dataset, Sample
from ._effects import alike, dimmed, loosened, moved
from ._flower import flower
from ._glass import glass
from ._hair import hair
from ._net import net
from ._scene import Scene, check_arguments

_KINDS = {"dandelion": dandelion, "flower": flower, "glass": glass, "hair": hair, "net": net}
# Noise of a camera at low sensitivity. Without it, pictures would be easier than any photograph.
_LITTLE = 0.004
_BAND = 0.02


@dataclass(frozen=True)
class SceneSource:
    """Sample that is rendered."""

    name: str
    kind: str
    seed: int
    height: int
    width: int
    noise: float = _LITTLE
    moving: float = 0.0
    alike: float = 0.0
    exposure: float = 1.0

    def load(self) -> Sample:
        """Render the sample, with 8 bits, as a camera would write it."""
        scene = loosened(self.scene(), _BAND)
        return Sample(self.name, quantized(scene.image, np.uint8), scene.trimap, scene.alpha)

    def scene(self) -> Scene:
        """Render the scene."""
        draw = _KINDS[self.kind]
        if self.moving:
            still = draw(self.height, self.width, seed=self.seed)
            return moved(still, self.moving, 0.5 + self.seed, noise=self.noise, seed=self.seed)
        if self.alike:
            plain = draw(self.height, self.width, seed=self.seed)
            return alike(plain, self.alike, noise=self.noise, seed=self.seed)
        if self.exposure < 1:
            bright = draw(self.height, self.width, seed=self.seed)
            return dimmed(bright, self.exposure, noise=self.noise, seed=self.seed)
        return draw(self.height, self.width, seed=self.seed, noise=self.noise)

    def state(self) -> str:
        """Return all parameters."""
        return repr(self)


def scenes(*, height: int = 400, width: int = 600) -> Dataset:
    """Open the suite of 24 rendered samples.

    They need no download, and their alpha is exact.

    ====================  ====================================================================
    dandelion, hair, net  two each: little noise (0.4 % of white), and some (1.2 %)
    flower                three: hard edges
    glass                 three: wide areas that are half transparent
    motion                three: the foreground moved during the exposure
    similar               three: foreground and background have nearly the same colours
    noise                 three: 4 % noise
    low light             three: an exposure of a quarter, 1 % noise
    ====================  ====================================================================

    Images have 8 bits, as a camera would write them. Trimaps have an unknown band of 2 % of the
    smaller side around everything translucent.

    Parameters
    ----------
    height, width : int, default 400 and 600
        Size of every sample in pixels; at least 32.

    Returns
    -------
    Dataset
        It is the same at every call. A sample is rendered when it is asked for, in some tenths of a
        second.

    Raises
    ------
    TypeError
        If `height` or `width` is not an integer.
    ValueError
        If `height` or `width` is below 32, or there would be 2**31 pixels.
    """
    view, _, _ = check_arguments(height, width, 0, 0.0)

    def source(name: str, kind: str, seed: int, **options: float) -> SceneSource:
        return SceneSource(name, kind, seed, view.height, view.width, **options)

    sources = []
    for kind in ("dandelion", "hair", "net"):
        sources += [source(kind, kind, 0), source(f"{kind}-noise", kind, 1, noise=0.012)]
    sources += [source("flower" if seed == 0 else f"flower-{seed}", "flower", seed) for seed in range(3)]
    sources += [source("glass" if seed == 0 else f"glass-{seed}", "glass", seed) for seed in range(3)]
    for kind, seed, moving in (("flower", 3, 0.05), ("hair", 2, 0.03), ("glass", 4, 0.04)):
        sources.append(source(f"motion-{kind}", kind, seed, moving=moving))
    for kind, seed, by in (("dandelion", 3, 0.6), ("hair", 3, 0.5), ("net", 3, 0.4)):
        sources.append(source(f"similar-{kind}", kind, seed, alike=by))
    for kind, seed in (("dandelion", 4), ("hair", 4), ("flower", 4)):
        sources.append(source(f"noise-{kind}", kind, seed, noise=0.04))
    for kind, seed in (("dandelion", 5), ("hair", 5), ("net", 5)):
        sources.append(source(f"low-light-{kind}", kind, seed, exposure=0.25, noise=0.01))
    return Dataset("scenes", sources)
