"""Time and peak memory of the foreground methods."""

import trimatte as tm

from .bench_calls import OnScenes
from .scenes import MEGAPIXELS, SCENES, load


class Foreground(OnScenes):
    params = (SCENES, MEGAPIXELS, ["closed-form", "blur-fusion"])
    param_names = ("scene", "megapixels", "method")

    def setup(self, scene, megapixels, method):
        self.image, _, self.alpha = load(scene, megapixels)

    def time_layers(self, scene, megapixels, method):
        tm.estimate_foreground(self.image, self.alpha, method=method)

    def peakmem_layers(self, scene, megapixels, method):
        tm.estimate_foreground(self.image, self.alpha, method=method)
