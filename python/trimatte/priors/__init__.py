"""Priors: guesses of alpha that an affinity then refines.

Give one to `trimatte.estimate_alpha` as `prior`.
"""

from ._base import Guess, Prior
from .background_fusion import BackgroundFusion
from .combined import Combined
from .composite_network import CompositeNetwork
from .fusion import Fusion
from .given import PreviousFrame, SoftMask
from .known_background import KnownBackground
from .one_sided import OneSided
from .patch_network import PatchNetwork, PatchNetworkModel
from .patch_regression import PatchRegression, PatchRegressionModel
from .robust import Robust
from .sampling import GlobalSampling
from .shared_sampling import SharedSamples, SharedSampling

__all__ = [
    "BackgroundFusion",
    "Combined",
    "CompositeNetwork",
    "Fusion",
    "GlobalSampling",
    "Guess",
    "KnownBackground",
    "OneSided",
    "PatchNetwork",
    "PatchNetworkModel",
    "PatchRegression",
    "PatchRegressionModel",
    "PreviousFrame",
    "Prior",
    "Robust",
    "SharedSamples",
    "SharedSampling",
    "SoftMask",
]
