"""Time and peak memory of KNN matting."""

import trimatte as tm

from .bench_calls import OnScenes
from .scenes import MEGAPIXELS, SCENES, load


class Knn(OnScenes):
    params = (SCENES, MEGAPIXELS)
    param_names = ("scene", "megapixels")

    def setup(self, scene, megapixels):
        self.image, self.trimap, _ = load(scene, megapixels)

    def time_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="knn")

    def peakmem_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="knn")
