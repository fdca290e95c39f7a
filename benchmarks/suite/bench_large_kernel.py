"""Time and peak memory of large-kernel matting."""

import trimatte as tm

from .bench_calls import OnScenes
from .scenes import MEGAPIXELS, SCENES, load


class LargeKernel(OnScenes):
    params = (SCENES, MEGAPIXELS)
    param_names = ("scene", "megapixels")

    def setup(self, scene, megapixels):
        self.image, self.trimap, _ = load(scene, megapixels)

    def time_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="large-kernel")

    def peakmem_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="large-kernel")
