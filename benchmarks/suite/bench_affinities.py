"""Time and peak memory of the default method and of every affinity; `bench_phases` has closed-form's phases."""

import trimatte as tm

from .bench_calls import OnScenes
from .scenes import MEGAPIXELS, SCENES, load


class Affinities(OnScenes):
    params = (
        SCENES,
        MEGAPIXELS,
        ("best", "closed-form", "information-flow", "knn", "large-kernel", "learning-based", "random-walk"),
    )
    param_names = ("scene", "megapixels", "method")

    def setup(self, scene, megapixels, method):
        self.image, self.trimap, _ = load(scene, megapixels)

    def time_alpha(self, scene, megapixels, method):
        tm.estimate_alpha(self.image, self.trimap, method=method)

    def peakmem_alpha(self, scene, megapixels, method):
        tm.estimate_alpha(self.image, self.trimap, method=method)


class Trimming(OnScenes):
    params = (SCENES, MEGAPIXELS)
    param_names = ("scene", "megapixels")

    def setup(self, scene, megapixels):
        self.image, self.trimap, _ = load(scene, megapixels)

    def time_trim(self, scene, megapixels):
        tm.trim_trimap(self.image, self.trimap)
