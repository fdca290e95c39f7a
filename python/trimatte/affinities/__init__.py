"""An affinity says how the alphas of a picture's pixels depend on each other.

Give one to `trimatte.estimate_alpha` as `method`. A method has a file of its own, and one line here,
whose import registers it.
"""

from ._base import Affinity as Affinity
from ._base import option as option
from ._base import register as register
from .closed_form import ClosedForm as ClosedForm
from .information_flow import InformationFlow as InformationFlow
from .knn import Knn as Knn
from .large_kernel import LargeKernel as LargeKernel
from .learning_based import LearningBased as LearningBased
from .random_walk import RandomWalk as RandomWalk
