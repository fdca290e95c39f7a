"""What every affinity is: an operator on alpha, and what a solver has to know about it."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from sys import float_info
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context
from ._operators import Products, matrix_of
from ._rows import checked_rows

if TYPE_CHECKING:
    import scipy.sparse

Pixels = npt.NDArray[Any]
Labels = npt.NDArray[np.uint8]

NEAR_NULL = ("colours", "constant")


class DataTerm(NamedTuple):
    """What an affinity itself says of single pixels.

    Attributes
    ----------
    alpha : (H, W) ndarray of float32
        A guess, in [0, 1].
    confidence : (H, W) ndarray of float32
        Weight c of the term ``c (x - alpha)**2``. Its value on known pixels is not used.
    """

    alpha: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]


class Findings(NamedTuple):
    """What an affinity finds out by itself before the solve.

    Attributes
    ----------
    labels : (H, W) ndarray of uint8
        0, 1 or 2 for each pixel. Known pixels keep their label; unknown ones may become known, and
        are 0 or 1 in the result then.
    data_term : DataTerm or None
        What counts in addition to any prior.
    """

    labels: Labels
    data_term: DataTerm | None = None


AFFINITIES: dict[str, type[Affinity]] = {}
"""The registered affinities by name; `trimatte.methods` says what else names mean."""


class Affinity(ABC):
    """A way to say which alphas a picture makes likely.

    Give one to `trimatte.estimate_alpha` as `method`. A subclass is a frozen dataclass. Its fields
    are the options of the method; those whose default is a number, a word or a truth value are
    options of the command line, of manifests and of evaluations too. `option` says their bounds and
    their help.

    Attributes
    ----------
    name : str
        The name under which `register` adds the class; empty for a class that is used as an object
        only.
    near_null : {"colours", "constant"}
        Which alphas cost next to nothing: "colours" means every affine function of the colours,
        "constant" only the constants. Multigrid builds its coarse levels on it.
    constant_regions : bool
        Whether the answer is constant in an unknown region that touches known pixels of one kind
        only, if there is no prior.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> smooth = tm.affinities.ClosedForm(epsilon=1e-4)
    >>> tm.estimate_alpha(scene.image, scene.trimap, method=smooth).shape
    (96, 96)
    """

    name: ClassVar[str] = ""
    near_null: ClassVar[str] = "constant"
    constant_regions: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_options(self)

    @property
    @abstractmethod
    def reach(self) -> int | None:
        """Largest distance of two pixels in one row, in pixels along x or y; None: no limit."""

    @property
    def has_products(self) -> bool:
        """Whether the core's object gives the operator by its products, without rows."""
        return False

    @property
    def smallest_image(self) -> int:
        """Least height and width of an image that it takes."""
        return 1

    @abstractmethod
    def laplacian(self, image: Pixels, labels: Labels, context: Context) -> scipy.sparse.csr_array:
        """Return the operator L of the quadratic form ``x^T L x`` that alpha should keep small.

        Parameters
        ----------
        image : (H, W, C) ndarray of float64
            Display colours in [0, 1], C = 1 or 3; scene-linear pictures come encoded and may have
            values above 1.
        labels : (H, W) ndarray of uint8
            0 = known background, 1 = known foreground, 2 = unknown. Entries between two known
            pixels count in the soft system (`known_weight`) only.
        context : Context
            ``context.threads`` is the number of threads that may be used.

        Returns
        -------
        (H*W, H*W) scipy.sparse array
            Symmetric and positive semidefinite, pixels in row-major order.
        """

    def findings(self, image: Pixels, labels: Labels, context: Context) -> Findings:
        """Return what the affinity finds out by itself, besides its operator, before the solve.

        Parameters
        ----------
        image, labels, context
            As for `core`.

        Returns
        -------
        Findings
            By default it is nothing. The other methods get its labels.
        """
        return Findings(labels)

    def core(self, image: Pixels, labels: Labels, context: Context) -> _core.Affinity:
        """Return the core's object for this affinity.

        Parameters
        ----------
        image : (H, W, C) ndarray
            Display colours in one of the core's dtypes.
        labels : (H, W) ndarray of uint8
            What is known, as for `laplacian`.
        context : Context
            How to run.

        Returns
        -------
        _core.Affinity
            It holds the rows of `laplacian`; a method whose rows are made by the core returns its
            own class.

        Raises
        ------
        ValueError, TypeError
            If `laplacian` returns something that is no symmetric sparse matrix of finite numbers,
            or contradicts `reach`.
        """
        colours = np.asarray(image / _check.full_range(image.dtype), np.float64)
        laplacian = self.laplacian(colours, labels, context)
        rows, _ = checked_rows(laplacian, labels, self.reach, f"{type(self).__name__}.laplacian", context)
        return _core.GivenRows(*rows, self.reach or 0, self.near_null == "colours", self.constant_regions)

    def products(self, image: Pixels, labels: Labels, context: Context) -> Products | None:
        """Return the operator by its products, for a method that never forms its matrix.

        Parameters
        ----------
        image, labels, context
            As for `core`.

        Returns
        -------
        Products or None
            None, the default, says that the operator is a matrix.
        """
        return None


class NativeAffinity(Affinity):
    """An affinity whose rows are made by the core: a subclass has `native` in place of `laplacian`."""

    @abstractmethod
    def native(self, image: Pixels, labels: Labels, context: Context) -> _core.Affinity:
        """Return the core's own object of the method."""

    def core(self, image: Pixels, labels: Labels, context: Context) -> _core.Affinity:
        """Return the core's own object, which makes the rows that a solve needs."""
        return self.native(image, labels, context)

    def laplacian(self, image: Pixels, labels: Labels, context: Context) -> scipy.sparse.csr_array:
        """Return the operator of the whole image."""
        return matrix_of(self.native(image, labels, context), image, None, context)


Kind = TypeVar("Kind", bound=type[Affinity])


def register(affinity: Kind) -> Kind:
    """Make an affinity known by its name, to be used as a decorator of the class.

    Parameters
    ----------
    affinity : subclass of Affinity
        Its `name` has letters, digits and hyphens. `method=`, the command line, manifests and
        evaluations know it from then on, in this process; a job that is sent to another process
        takes an object as method.

    Returns
    -------
    subclass of Affinity
        The same class.

    Raises
    ------
    ValueError, TypeError
        If it is no subclass of `Affinity`, is abstract or no dataclass, or has no name or one that
        another class has.
    """
    if not (isinstance(affinity, type) and issubclass(affinity, Affinity)):
        raise TypeError(f"affinity: expected a subclass of Affinity, got {_check.kind_of(affinity)}")
    if "__dataclass_fields__" not in vars(affinity):
        hint = "decorate it with @dataclass(frozen=True)"
        raise TypeError(f"affinity: expected a dataclass, got {affinity.__name__}; {hint}")
    if inspect.isabstract(affinity):
        missing = ", ".join(sorted(affinity.__abstractmethods__))
        raise TypeError(f"affinity: {affinity.__name__} lacks {missing}")
    name = affinity.name
    if not name or not name.replace("-", "").isalnum() or not name.isascii():
        raise ValueError(f"{affinity.__name__}.name: expected letters, digits and hyphens, got {name!r}")
    if AFFINITIES.get(name, affinity).__qualname__ != affinity.__qualname__:
        raise ValueError(f"{affinity.__name__}.name: {name!r} is the name of {AFFINITIES[name].__name__}")
    AFFINITIES[name] = affinity
    return affinity


def label(affinity: Affinity) -> str:
    """Return what messages and records call an affinity."""
    return affinity.name or type(affinity).__name__


def option(default: Any, help: str, *, least: float | None = None, most: float | None = None) -> Any:
    """Declare an option of an affinity: a dataclass field with a help text and bounds.

    Parameters
    ----------
    default : bool, int, float or str
        Its default, whose type is the type of the option.
    help : str
        One sentence for the help of the command line.
    least, most : float, optional
        The smallest and the largest value that are allowed.
    """
    return dataclasses.field(default=default, metadata={"help": help, "least": least, "most": most})


def option_fields(affinity: type[Any]) -> list[dataclasses.Field[Any]]:
    """Return the fields that can be given as text: their default is a number, a word or a flag."""
    if not dataclasses.is_dataclass(affinity):
        return []
    return [f for f in dataclasses.fields(affinity) if f.init and type(f.default) in (bool, int, float, str)]


def checked_option(field: dataclasses.Field[Any], value: object) -> bool | float | str:
    """Return a value of an option's own type, within its bounds; errors name the option."""
    if isinstance(field.default, bool):
        return _check.flag(value, field.name)
    if isinstance(field.default, str):
        if not isinstance(value, str):
            raise TypeError(f"{field.name}: expected a str, got {_check.kind_of(value)}")
        return value
    least, most = bounds(field)
    if isinstance(field.default, int):
        return _check.at_least(value, int(least), field.name, int(most))
    return _check.between(value, least, most, field.name)


def check_options(made: Any) -> None:
    """Check the options of a new object, and give each its own type."""
    for field in option_fields(type(made)):
        object.__setattr__(made, field.name, checked_option(field, getattr(made, field.name)))


def bounds(field: dataclasses.Field[Any]) -> tuple[float, float]:
    """Return the smallest and the largest value of an option that is a number."""
    widest = (-(2**31), 2**31 - 1) if isinstance(field.default, int) else (-float_info.max, float_info.max)
    given = (field.metadata.get("least"), field.metadata.get("most"))
    least, most = (w if g is None else g for w, g in zip(widest, given, strict=True))
    return least, most


def refuse_nonsense(affinity: Affinity) -> None:
    """Raise ValueError or TypeError if what an affinity says of itself cannot be."""
    name = type(affinity).__name__
    if affinity.near_null not in NEAR_NULL:
        raise ValueError(f"{name}.near_null: expected one of {', '.join(NEAR_NULL)}, got {affinity.near_null!r}")
    _check.flag(affinity.constant_regions, f"{name}.constant_regions")
    if affinity.reach is not None:
        _check.at_least(affinity.reach, 1, f"{name}.reach")
    _check.at_least(affinity.smallest_image, 1, f"{name}.smallest_image")


def known_options(affinity: type[Affinity]) -> Mapping[str, dataclasses.Field[Any]]:
    """Return all options that can be given by name, those that Python alone can give included."""
    return (
        {f.name: f for f in dataclasses.fields(affinity) if f.init} if dataclasses.is_dataclass(affinity) else {}
    )
