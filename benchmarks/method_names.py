"""What the benchmarks measure: names from trimatte's own tables, so that a new method needs no edit here.

A name may have options behind it: "closed-form,radius=2".
"""

import inspect
import json

import trimatte as tm
from trimatte.affinities._base import AFFINITIES

RADII = tuple(f"closed-form,radius={radius}" for radius in (2, 3, 5))
"""Closed-form matting whose systems no stencil of 5 x 5 pixels holds."""


def affinities():
    return tuple(AFFINITIES)


def priors():
    return tuple(tm.methods.PRIORS)


def parsed(name):
    """Return the arguments of `trimatte.solve_alpha` that a name means."""
    method, *options = name.split(",")
    return {"method": method, **{key: json.loads(value) for key, _, value in (o.partition("=") for o in options)}}


def foregrounds():
    """Names of the methods of `trimatte.estimate_foreground`."""
    return tuple(getattr(inspect.getmodule(tm.estimate_foreground), "METHODS", ("multi-level",)))


def foreground(image, alpha, name):
    """Return the colours of the foreground by this method."""
    options = {"method": name} if len(foregrounds()) > 1 else {}
    return tm.estimate_foreground(image, alpha, **options).foreground
