"""The functions of PyMatting 1.1.16, by its names, on trimatte.

``import trimatte.pymatting as pymatting`` takes its place in your own code; :func:`install` does so
in other people's, and ``python -m trimatte.pymatting PROGRAM`` in programs that cannot be edited.
"""

from ._install import install
from .alpha.estimate_alpha_cf import estimate_alpha_cf
from .alpha.estimate_alpha_knn import estimate_alpha_knn
from .alpha.estimate_alpha_lbdm import estimate_alpha_lbdm
from .alpha.estimate_alpha_lkm import estimate_alpha_lkm
from .alpha.estimate_alpha_rw import estimate_alpha_rw
from .alpha.estimate_alpha_sm import estimate_alpha_sm
from .cutout.cutout import cutout
from .foreground.estimate_foreground_cf import estimate_foreground_cf
from .foreground.estimate_foreground_ml import estimate_foreground_ml
from .laplacian import LAPLACIAN_OPERATORS, LAPLACIANS
from .laplacian.cf_laplacian import cf_laplacian
from .laplacian.knn_laplacian import knn_laplacian
from .laplacian.laplacian import make_linear_system
from .laplacian.lbdm_laplacian import lbdm_laplacian
from .laplacian.lkm_laplacian import lkm_laplacian
from .laplacian.rw_laplacian import rw_laplacian
from .laplacian.uniform_laplacian import uniform_laplacian
from .preconditioner.ichol import ichol
from .preconditioner.jacobi import jacobi
from .preconditioner.vcycle import vcycle
from .solver.callback import CounterCallback, ProgressCallback
from .solver.cg import cg
from .util.boxfilter import boxfilter
from .util.distance import distance_transform
from .util.kdtree import KDTree, knn
from .util.timer import Timer
from .util.util import (
    apply_to_channels,
    blend,
    div_round_up,
    fix_trimap,
    grid_coordinates,
    isiterable,
    load_image,
    make_grid,
    mat_vec_dot,
    normalize,
    normalize_rows,
    remove_background_bicolor,
    row_sum,
    sanity_check_image,
    save_image,
    show_images,
    sparse_conv_matrix,
    sparse_conv_matrix_with_offsets,
    stack_images,
    to_rgb8,
    trimap_split,
    vec_vec_dot,
    vec_vec_outer,
    weights_to_laplacian,
)

estimate_alpha = estimate_alpha_cf
estimate_foreground = estimate_foreground_ml

__version__ = "1.1.16"
"""The version of PyMatting whose functions these are; trimatte's own is `trimatte.__version__`."""

__all__ = [
    "LAPLACIANS",
    "LAPLACIAN_OPERATORS",
    "CounterCallback",
    "KDTree",
    "ProgressCallback",
    "Timer",
    "apply_to_channels",
    "blend",
    "boxfilter",
    "cf_laplacian",
    "cg",
    "cutout",
    "distance_transform",
    "div_round_up",
    "estimate_alpha",
    "estimate_alpha_cf",
    "estimate_alpha_knn",
    "estimate_alpha_lbdm",
    "estimate_alpha_lkm",
    "estimate_alpha_rw",
    "estimate_alpha_sm",
    "estimate_foreground",
    "estimate_foreground_cf",
    "estimate_foreground_ml",
    "fix_trimap",
    "grid_coordinates",
    "ichol",
    "install",
    "isiterable",
    "jacobi",
    "knn",
    "knn_laplacian",
    "lbdm_laplacian",
    "lkm_laplacian",
    "load_image",
    "make_grid",
    "make_linear_system",
    "mat_vec_dot",
    "normalize",
    "normalize_rows",
    "remove_background_bicolor",
    "row_sum",
    "rw_laplacian",
    "sanity_check_image",
    "save_image",
    "show_images",
    "sparse_conv_matrix",
    "sparse_conv_matrix_with_offsets",
    "stack_images",
    "to_rgb8",
    "trimap_split",
    "uniform_laplacian",
    "vcycle",
    "vec_vec_dot",
    "vec_vec_outer",
    "weights_to_laplacian",
]
