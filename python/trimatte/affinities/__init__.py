"""Affinities: which pixels should have a similar alpha. Give one to `trimatte.estimate_alpha` as `method`."""

from ._base import Affinity, option, register
from .closed_form import ClosedForm as ClosedForm

__all__ = ["Affinity", "ClosedForm", "option", "register"]
