"""Time and peak memory of information-flow matting, and of its trimming."""

import trimatte as tm

from .bench_calls import OnScenes
from .scenes import MEGAPIXELS, SCENES, load


class InformationFlow(OnScenes):
    params = (SCENES, MEGAPIXELS)
    param_names = ("scene", "megapixels")

    def setup(self, scene, megapixels):
        self.image, self.trimap, _ = load(scene, megapixels)

    def time_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="information-flow")

    def time_trim(self, scene, megapixels):
        tm.trim_trimap(self.image, self.trimap)

    def peakmem_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="information-flow")
