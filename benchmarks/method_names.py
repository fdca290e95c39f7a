"""What the benchmarks measure: names from trimatte's own tables, so that a new method needs no edit here."""

import inspect

import trimatte as tm


def affinities():
    return tuple(name for name in tm.methods.names() if not tm.methods.has_prior(name))


def priors():
    return tuple(tm.methods.PRIORS)


def foregrounds():
    """Names of the methods of `trimatte.estimate_foreground`, its default first."""
    return tuple(getattr(inspect.getmodule(tm.estimate_foreground), "METHODS", ("multi-level",)))


def foreground(image, alpha, name):
    """Return the colours of the foreground by this method."""
    options = {} if name == foregrounds()[0] else {"method": name}
    return tm.estimate_foreground(image, alpha, **options).foreground
