"""Time and peak memory of the public calls. asv's peak is that of the whole process, with imports and pictures."""

import time

import scipy.sparse  # noqa: F401, loaded by the first Laplacian, and not what is timed

import trimatte as tm

from .scenes import MEGAPIXELS, SCENES, load, render_all


class OnScenes:
    """Few repetitions of long calls, on scenes that are rendered once."""

    timeout = 3600
    number = 1
    repeat = (3, 10, 10.0)
    rounds = 1
    warmup_time = 0
    timer = time.process_time  # of all threads together; other programs on the machine hardly change it

    def setup_cache(self):
        render_all()

    setup_cache.timeout = 3600


class Calls(OnScenes):
    params = (SCENES, MEGAPIXELS)
    param_names = ("scene", "megapixels")

    def setup(self, scene, megapixels):
        self.image, self.trimap, self.alpha = load(scene, megapixels)

    def time_closed_form_laplacian(self, scene, megapixels):
        tm.closed_form_laplacian(self.image)

    def time_estimate_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="closed-form")

    def time_estimate_foreground(self, scene, megapixels):
        tm.estimate_foreground(self.image, self.alpha)

    def peakmem_closed_form_laplacian(self, scene, megapixels):
        tm.closed_form_laplacian(self.image)

    def peakmem_estimate_alpha(self, scene, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method="closed-form")

    def peakmem_estimate_foreground(self, scene, megapixels):
        tm.estimate_foreground(self.image, self.alpha)


class Priors(OnScenes):
    params = (
        ("composite-network", "sampling", "shared-sampling", "robust", "patch-network", "patch-regression"),
        MEGAPIXELS,
    )
    param_names = ("prior", "megapixels")

    def setup(self, prior, megapixels):
        self.image, self.trimap, _ = load("hair", megapixels)

    def time_alone(self, prior, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method=prior)

    def peakmem_alone(self, prior, megapixels):
        tm.estimate_alpha(self.image, self.trimap, method=prior)


def timeraw_import():
    return "import trimatte"
