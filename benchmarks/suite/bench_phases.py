"""Seconds, peak memory and counts of each phase. All are recorded once, in setup_cache, and only read here."""

import sys
import time
from pathlib import Path

import trimatte as tm

from .scenes import MEGAPIXELS, SCENES, load, render_all

sys.path.insert(0, str(Path(__file__).parent.parent))
import memory

# Names of the library (`SolveInfo.seconds`, `progress`), and "whole": from the picture to its layers.
PHASES = ("laplacian", "hierarchy", "cg", "foreground", "whole")
REPEAT = 3


class PeakOfPhases:
    """Given as `progress`, which is called when a phase starts: the most memory in it above that at first."""

    def __init__(self):
        self._before = memory.start_peak()
        self._phase = None
        self.bytes = {}

    def __call__(self, phase, _fraction):
        if phase != self._phase:
            self.finish()
            self._phase = phase
            memory.start_peak()

    def finish(self):
        if self._phase:
            self.bytes[self._phase] = max(0, memory.peak() - self._before)


def cut_out(image, trimap, progress=None):
    """All phases in turn, and the seconds of each."""
    start = time.perf_counter()
    alpha, info = tm.solve_alpha(image, trimap, solver="multigrid", progress=progress, method="closed-form")
    middle = time.perf_counter()
    tm.estimate_foreground(image, alpha, progress=progress)
    end = time.perf_counter()
    return info, {**info.seconds, "foreground": end - middle, "whole": end - start}


def record(image, trimap):
    peaks = PeakOfPhases()
    cut_out(image, trimap, peaks)
    peaks.finish()
    runs = [cut_out(image, trimap) for _ in range(REPEAT)]
    info = runs[0][0].as_dict()
    return {
        "seconds": {phase: min(seconds[phase] for _, seconds in runs) for phase in PHASES},
        "peak_bytes": {**peaks.bytes, "whole": max(peaks.bytes.values())},
        "counts": {
            "unknowns": info["unknowns"],
            "iterations": info["iterations"],
            "core_bytes": info["peak_bytes"],
            "operator_complexity": info["operator_complexity"],
        },
    }


class Recorded:
    params = (SCENES, MEGAPIXELS)
    param_names = ("scene", "megapixels")

    def setup_cache(self):
        render_all()
        return {(scene, size): record(*load(scene, size)[:2]) for scene in SCENES for size in MEGAPIXELS}

    setup_cache.timeout = 7200


class Phases(Recorded):
    params = (*Recorded.params, PHASES)
    param_names = (*Recorded.param_names, "phase")

    def track_seconds(self, records, scene, megapixels, phase):
        return records[scene, megapixels]["seconds"][phase]

    def track_peak_bytes(self, records, scene, megapixels, phase):
        return records[scene, megapixels]["peak_bytes"][phase]

    track_seconds.unit = "seconds"
    track_peak_bytes.unit = "bytes"


class Counts(Recorded):
    def track_unknowns(self, records, scene, megapixels):
        return records[scene, megapixels]["counts"]["unknowns"]

    def track_iterations(self, records, scene, megapixels):
        return records[scene, megapixels]["counts"]["iterations"]

    def track_core_bytes(self, records, scene, megapixels):
        return records[scene, megapixels]["counts"]["core_bytes"]

    def track_operator_complexity(self, records, scene, megapixels):
        return records[scene, megapixels]["counts"]["operator_complexity"]

    track_core_bytes.unit = "bytes"
