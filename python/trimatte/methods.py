"""What the name of a method means: an affinity, a prior, or both. Nothing else knows names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from . import _check, priors
from ._arguments import AlphaOptions
from .affinities import Affinity
from .affinities._base import AFFINITIES, known_options, label, option_fields, refuse_nonsense

__all__ = [
    "AUTO",
    "BEST",
    "DEFAULT",
    "PRIORS",
    "Chosen",
    "Meaning",
    "chosen",
    "chosen_among",
    "has_prior",
    "meaning",
    "names",
    "option_names",
    "options",
    "prior",
]

AUTO = "auto"
BEST = "best"
DEFAULT = AUTO

PRIORS: dict[str, type[priors.Prior]] = {
    "fusion": priors.Fusion,
    "composite-network": priors.CompositeNetwork,
    "sampling": priors.GlobalSampling,
    "shared-sampling": priors.SharedSampling,
    "robust": priors.Robust,
    "patch-network": priors.PatchNetwork,
    "patch-regression": priors.PatchRegression,
}
SHORTCUTS = {AUTO: "closed-form", BEST: "closed-form+fusion"}


class Meaning(NamedTuple):
    """What a name means.

    Attributes
    ----------
    affinity : type or None
        A class of `trimatte.affinities`; None if the method is a prior alone, without a solve.
    prior : str or None
        The name of a prior.
    """

    affinity: type[Affinity] | None
    prior: str | None


class Chosen(NamedTuple):
    """A method with its options.

    Attributes
    ----------
    name : str
        What records call it.
    affinity : Affinity or None
        None if the method is a prior alone, without a solve.
    prior : str, Prior or None
        A prior that belongs to the method.
    """

    name: str
    affinity: Affinity | None
    prior: str | priors.Prior | None

    @property
    def smallest_image(self) -> int:
        """Least height and width of an image that it takes."""
        return 1 if self.affinity is None else self.affinity.smallest_image


def names() -> tuple[str, ...]:
    """Return all names of methods; besides, every ``affinity+prior`` is one."""
    return (*SHORTCUTS, *AFFINITIES, *PRIORS)


def meaning(name: str) -> Meaning:
    """Return what the name of a method means.

    Parameters
    ----------
    name : str
        ``"closed-form"`` (an affinity), ``"sampling"`` (a prior), ``"closed-form+sampling"``
        (both), ``"best"``, or ``"auto"``, which takes the affinity of closed-form and chooses a
        prior when it sees the trimap.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    head, plus, tail = SHORTCUTS.get(name, name).partition("+")
    if not plus and head in PRIORS:
        return Meaning(None, head)
    if plus and head not in AFFINITIES and head in names():
        raise ValueError(
            f"method: expected one of {', '.join(AFFINITIES)} before +, got {name!r}, where {head!r} has a prior"
        )
    if head not in AFFINITIES:
        raise ValueError(f"method: {_expected(name, head)}")
    if plus and tail not in PRIORS:
        got = f"got {name!r}{_check.meant(tail, PRIORS)}"
        raise ValueError(f"method: expected a prior of {', '.join(PRIORS)} after {head}+, {got}")
    return Meaning(AFFINITIES[head], tail or None)


def has_prior(method: str | Affinity) -> bool:
    """Whether a method is a prior or has one. Raises ValueError if there is no such method."""
    return isinstance(method, str) and meaning(method).prior is not None


def _expected(name: str, head: str) -> str:
    return f"expected one of {', '.join(names())}, or AFFINITY+PRIOR, got {name!r}{_check.meant(head, names())}"


def chosen(method: str | Affinity, given: Mapping[str, Any]) -> Chosen:
    """Return a method with its options.

    Parameters
    ----------
    method : str or Affinity
        A name, or an object of `trimatte.affinities`.
    given : mapping of str to value
        Options of the affinity by name; those that are None count as not given.

    Raises
    ------
    ValueError, TypeError
        If there is no such method, if it lacks an option, or if an option's value is out of range.
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    if isinstance(method, Affinity):
        for name in wanted:
            raise TypeError(
                f"{name}: expected none beside an object as method; say {type(method).__name__}({name}=...)"
            )
        refuse_nonsense(method)
        return Chosen(label(method), method, None)
    if not isinstance(method, str):
        raise TypeError(
            f"method: expected a name or an object of trimatte.affinities, got {_not_a_method(method)}"
        )
    affinity, prior = meaning(method)
    known = {} if affinity is None else known_options(affinity)
    for name in wanted:
        if name not in known:
            raise TypeError(_unknown_option(name, method, list(known)))
    if affinity is None:
        return Chosen(method, None, prior)
    made = affinity(**wanted)
    refuse_nonsense(made)
    return Chosen(method, made, prior)


def _unknown_option(name: str, method: str, known: list[str]) -> str:
    """Say what is wrong with an option that a method does not have."""
    has = ", ".join(known) or "none"
    if name in option_names():
        return f"{name}: method {method!r} has no such option; it has {has}"
    near = _check.meant(name, [*known, *sorted(AlphaOptions.__optional_keys__)])
    return (
        f"{name}: expected an argument of solve_alpha or an option of method {method!r} ({has}), got another{near}"
    )


def chosen_among(arguments: Mapping[str, Any]) -> Chosen:
    """Do the same with arguments of `solve_alpha`, of which the method and its options count."""
    given = {name: value for name, value in arguments.items() if name in option_names()}
    return chosen(arguments.get("method", DEFAULT), given)


def _not_a_method(value: object) -> str:
    got = _check.kind_of(value)
    if isinstance(value, type) and issubclass(value, Affinity):
        return f"{got}; make an object: {value.__name__}()"
    return f"{got}; pass it as prior" if isinstance(value, priors.Prior) else got


def prior(name: str, seed: int) -> priors.Prior:
    """Return the prior of this name.

    Raises
    ------
    ValueError
        If there is none.
    """
    made = PRIORS[_check.one_of(name, tuple(PRIORS), "prior")]
    takes_seed = any(field.name == "seed" for field in dataclasses.fields(made))  # type: ignore[arg-type]
    return made(seed=seed) if takes_seed else made()  # type: ignore[call-arg]


def option_names() -> set[str]:
    """Return the names of all options of all affinities, also those for Python only."""
    return {name for affinity in AFFINITIES.values() for name in known_options(affinity)}


def options() -> dict[str, dict[str, dataclasses.Field[Any]]]:
    """Return the options that can be given as text: for each, its field in every affinity."""
    found: dict[str, dict[str, dataclasses.Field[Any]]] = {}
    for name, affinity in AFFINITIES.items():
        for field in option_fields(affinity):
            found.setdefault(field.name, {})[name] = field
    return found
