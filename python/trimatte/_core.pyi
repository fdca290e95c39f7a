"""Types of the native core. Not public."""

from collections.abc import Callable
from typing import TypedDict

import numpy as np
import numpy.typing as npt

__version__: str
compiler: str
eigen_version: str
eigen_source: str
openmp: bool

def max_threads() -> int: ...
def simd_level() -> str: ...

class Monitor:
    def __init__(self, progress: Callable[[str, float], object] | None) -> None: ...
    @property
    def seconds(self) -> dict[str, float]: ...

class Solved(TypedDict):
    solver: str
    converged: bool
    iterations: int
    relative_residual: float
    error_estimate: float
    unknowns: int
    operator_complexity: float
    peak_bytes: int
    regions: dict[str, int]
    constant: tuple[int, int]

class Affinity: ...

class ClosedForm(Affinity):
    def __init__(self, epsilon: float, radius: int) -> None: ...

class GivenRows(Affinity):
    def __init__(
        self,
        data: npt.NDArray[np.float64],
        indices: npt.NDArray[np.int32],
        indptr: npt.NDArray[np.int64],
        reach: int,
        colour_line: bool,
        constant_regions: bool,
    ) -> None: ...

class InformationFlow(Affinity):
    def __init__(
        self,
        image: npt.NDArray[np.generic],
        labels: npt.NDArray[np.uint8],
        mixture_neighbours: int,
        unknown_neighbours: int,
        unknown_weight: float,
        local_weight: float,
        epsilon: float,
        threads: int,
        monitor: Monitor,
    ) -> None: ...

class Knn(Affinity):
    def __init__(
        self,
        neighbours: int,
        position_weight: float,
        far_neighbours: int,
        far_position_weight: float,
        soft: bool,
    ) -> None: ...

class LearningBased(Affinity):
    def __init__(self, regularization: float, radius: int) -> None: ...

class Products:
    def __init__(
        self, affinity: Affinity, image: npt.NDArray[np.generic], threads: int, monitor: Monitor
    ) -> None: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def matvec(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...

def known_to_unknown_flow(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    neighbours: int,
    alpha: npt.NDArray[np.float32],
    confidence: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> None: ...

class RandomWalk(Affinity):
    def __init__(self, sigma: float) -> None: ...

def laplacian(
    affinity: Affinity,
    image: npt.NDArray[np.generic],
    known: npt.NDArray[np.uint8] | None,
    threads: int,
    monitor: Monitor,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.integer], npt.NDArray[np.integer]]: ...
def solve(
    affinity: Affinity,
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    prior: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None,
    known_weight: float,
    start: npt.NDArray[np.float32] | None,
    alpha: npt.NDArray[np.floating],
    solver: str,
    tolerance: float,
    relative_residual: float,
    max_iterations: int,
    memory: int,
    threads: int,
    monitor: Monitor,
) -> Solved: ...

class SolvedSparse(TypedDict):
    converged: bool
    iterations: int
    relative_residual: float
    error_estimate: float
    operator_complexity: float
    peak_bytes: int

def solve_sparse(
    data: npt.NDArray[np.float64],
    indices: npt.NDArray[np.int32],
    indptr: npt.NDArray[np.int64],
    rhs: npt.NDArray[np.float64],
    near_null: npt.NDArray[np.float32],
    x: npt.NDArray[np.float64],
    tolerance: float,
    max_iterations: int,
    threads: int,
    monitor: Monitor,
) -> SolvedSparse: ...

class Examined(TypedDict):
    has_diagonal: bool
    reach: int
    not_finite: int
    asymmetric: int
    farther: int

def examine(
    data: npt.NDArray[np.float64],
    indices: npt.NDArray[np.int32],
    indptr: npt.NDArray[np.int64],
    tolerance: float,
    width: int,
    reach_at_most: int,
    threads: int,
    monitor: Monitor,
) -> Examined: ...
def first_loose(
    data: npt.NDArray[np.float64],
    indices: npt.NDArray[np.int32],
    indptr: npt.NDArray[np.int64],
    labels: npt.NDArray[np.uint8],
    confidence: npt.NDArray[np.float32] | None,
    monitor: Monitor,
) -> int: ...

class Preconditioner:
    def __init__(
        self,
        data: npt.NDArray[np.float64],
        indices: npt.NDArray[np.int32],
        indptr: npt.NDArray[np.int64],
        near_null: npt.NDArray[np.float32],
        pixel: npt.NDArray[np.int32] | None,
        height: int,
        width: int,
        threads: int,
        monitor: Monitor,
    ) -> None: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def matvec(self, r: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
    @property
    def bytes(self) -> int: ...
    @property
    def operator_complexity(self) -> float: ...

def multilevel_foreground(
    image: npt.NDArray[np.generic],
    alpha: npt.NDArray[np.float32],
    regularization: float,
    gradient_weight: float,
    small_size: int,
    small_iterations: int,
    big_iterations: int,
    exact_composite: bool,
    low: float,
    high: float,
    keep_solid: bool,
    threads: int,
    monitor: Monitor,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]: ...
def multilevel_by_rows(
    image: npt.NDArray[np.generic],
    alpha: npt.NDArray[np.float32],
    regularization: float,
    gradient_weight: float,
    small_size: int,
    small_iterations: int,
    big_iterations: int,
    monitor: Monitor,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]: ...
def closed_form_layers(
    image: npt.NDArray[np.generic],
    alpha: npt.NDArray[np.float32],
    regularization: float,
    gradient_weight: float,
    tolerance: float,
    max_iterations: int,
    exact_composite: bool,
    low: float,
    high: float,
    keep_solid: bool,
    threads: int,
    monitor: Monitor,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], dict[str, float]]: ...
def blur_fusion(
    image: npt.NDArray[np.generic],
    alpha: npt.NDArray[np.float32],
    radius: int,
    second_radius: int,
    exact_composite: bool,
    low: float,
    high: float,
    keep_solid: bool,
    threads: int,
    monitor: Monitor,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]: ...

class Network:
    def __init__(self, sizes: list[int]) -> None: ...
    def initialise(self, seed: int, last_scale: float, last_bias: float) -> None: ...
    def layer(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]: ...
    def set_layer(self, index: int, W: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> None: ...

class Trainer:
    def __init__(self, network: Network, batch: int, threads: int) -> None: ...
    def step(
        self, inputs: npt.NDArray[np.float32], targets: npt.NDArray[np.float32], rate: float, monitor: Monitor
    ) -> float: ...

class FusionNetwork:
    def __init__(self, layers: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], int]]) -> None: ...

def fusion_maps(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    planes: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> npt.NDArray[np.float32]: ...
def distance_to(
    labels: npt.NDArray[np.uint8],
    label: int,
    distance: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> None: ...
def fusion_correction(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    planes: npt.NDArray[np.float32],
    networks: list[FusionNetwork],
    correction: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> None: ...
def composite_network(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    alpha: npt.NDArray[np.float32],
    hidden: list[int],
    steps: int,
    batch: int,
    learning_rate: float,
    gamma: float,
    reach: int,
    neighbours: int,
    seed: int,
    threads: int,
    monitor: Monitor,
) -> None: ...
def trim(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    edge: float,
    alike: float,
    unlike: float,
    neighbours: int,
    trimmed: npt.NDArray[np.uint8],
    threads: int,
    monitor: Monitor,
) -> None: ...
def global_sampling(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    alpha: npt.NDArray[np.float32],
    cost: npt.NDArray[np.float32],
    sweeps: int,
    seed: int,
    threads: int,
    monitor: Monitor,
) -> None: ...
def shared_sampling(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    alpha: npt.NDArray[np.float32],
    confidence: npt.NDArray[np.float32],
    foreground: npt.NDArray[np.float32] | None,
    background: npt.NDArray[np.float32] | None,
    expansion_radius: int,
    expansion_threshold: float,
    rays: int,
    sharing_radius: int,
    smoothing_radius: int,
    own_colours: bool,
    threads: int,
    monitor: Monitor,
) -> None: ...
def known_background(
    image: npt.NDArray[np.generic],
    background: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    noise: float,
    candidates: int,
    seed: int,
    alpha: npt.NDArray[np.float32],
    confidence: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> None: ...
def miss_of_mixtures(
    colours: npt.NDArray[np.float32],
    background: npt.NDArray[np.float32],
    foreground: npt.NDArray[np.float32],
    miss2: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> None: ...
def fit_patch_regression(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    radius: int,
    ridge: float,
    threads: int,
    monitor: Monitor,
) -> npt.NDArray[np.float64]: ...
def predict_patch_regression(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8] | None,
    radius: int,
    weights: list[float],
    alpha: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> None: ...
def fit_patch_network(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8],
    radius: int,
    extra: npt.NDArray[np.float32],
    mean: list[float],
    scale: list[float],
    network: Network,
    batch: int,
    steps: int,
    learning_rate: float,
    balanced: bool,
    validation: float,
    check_every: int,
    patience: int,
    seed: int,
    threads: int,
    monitor: Monitor,
) -> tuple[int, list[float], list[float]]: ...
def predict_patch_network(
    image: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8] | None,
    radius: int,
    extra: npt.NDArray[np.float32],
    mean: list[float],
    scale: list[float],
    network: Network,
    alpha: npt.NDArray[np.float32],
    threads: int,
    monitor: Monitor,
) -> None: ...
def gradient_error(
    alpha: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    region: npt.NDArray[np.uint8],
    sigma: float,
    threads: int,
    monitor: Monitor,
) -> float: ...
def connectivity_error(
    alpha: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    region: npt.NDArray[np.uint8],
    levels: int,
    theta: float,
    monitor: Monitor,
) -> float: ...
