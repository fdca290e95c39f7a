"""What is measured: a method of trimatte, somebody else's function, or finished alphas."""

from __future__ import annotations

import importlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from .._picture_read import load_image
from ..alpha import METHODS, PRIORS, solve_alpha
from ..datasets import Sample

_ENDINGS = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".webp")


@dataclass(frozen=True)
class Answer:
    """A method's alpha for one sample, and what it says of the solve."""

    alpha: npt.NDArray[Any]
    info: dict[str, Any] | None = None


@dataclass(frozen=True)
class Method:
    """Something that makes alpha from an image and a trimap.

    Parameters
    ----------
    name : str
        Named in tables.
    spec : str
        One of

        * a method of trimatte, with a prior and options if wanted: ``"best"``, ``"closed-form+sampling"``,
          ``"closed-form,epsilon=1e-5,radius=2"``; see :func:`trimatte.solve_alpha`;
        * ``"package.module:function"``, called as ``function(image, trimap)`` with float64 arrays in [0, 1], the
          image (H, W, 3), or (H, W) if it is grey, the trimap (H, W) with 0, 0.5 and 1; it returns alpha, (H, W);
        * a folder of finished alphas, pictures named like the samples, in it or in a folder in it that is named
          like the data set.

    Examples
    --------
    >>> from trimatte.evaluation import Method
    >>> Method.parse("closed-form+sampling").name
    'closed-form+sampling'
    >>> Method.parse("theirs=some.package:matte").name
    'theirs'
    """

    name: str
    spec: str

    @classmethod
    def parse(cls, text: str) -> Method:
        """Make a method of ``SPEC`` or ``NAME=SPEC``; the name is else the spec, or the folder's name.

        Raises
        ------
        ValueError
            If the spec is neither a method of trimatte, nor a function's name, nor a folder, or its options are
            not such of :func:`trimatte.solve_alpha`.
        """
        name, equals, spec = text.partition("=")
        if not equals or "," in name or name in ("", *METHODS) or Path(text).is_dir():
            name, spec = "", text
        method = cls(name or (Path(spec).resolve().name if Path(spec).is_dir() else spec), spec)
        method._kind()
        return method

    @property
    def is_finished(self) -> bool:
        """Whether the alphas are there already, so that their time is not known."""
        return self._kind() == "folder"

    def _kind(self) -> str:
        head = re.split(r"[+,]", self.spec)[0]
        if head in METHODS:
            self._options()
            return "trimatte"
        if self.spec and Path(self.spec).is_dir():
            return "folder"
        if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", self.spec):
            return "function"
        raise ValueError(
            f"method: expected one of {', '.join(METHODS)}, package.module:function, or a folder of alphas, "
            f"got {self.spec!r}"
        )

    def _options(self) -> dict[str, Any]:
        """Return the arguments of `solve_alpha` that the spec gives."""
        head, *pairs = self.spec.split(",")
        method, plus, prior = head.partition("+")
        options: dict[str, Any] = {"method": _check.one_of(method, METHODS, "method")}
        if plus:
            options["prior"] = _check.one_of(prior, tuple(PRIORS), "prior")
        known = set(solve_alpha.__kwdefaults__ or ()) - {"method", "prior", "threads", "progress"}
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals or key not in known:
                raise ValueError(f"method: expected options of {', '.join(sorted(known))}, got {pair!r}")
            try:
                options[key] = json.loads(value)
            except json.JSONDecodeError:
                options[key] = value
        return options

    def state(self) -> str:
        """Say what its results depend on, apart from the sample."""
        if self._kind() == "trimatte":
            from .. import __version__

            return f"{self.spec}; trimatte {__version__}"
        return self.spec

    def run(self, dataset: str, sample: Sample, *, threads: int | None = None) -> Answer:
        """Make alpha.

        Raises
        ------
        Exception
            Whatever the method raises; ValueError or TypeError if what it returns is no alpha.
        """
        kind = self._kind()
        if kind == "trimatte":
            alpha, info = solve_alpha(sample.image, sample.trimap, threads=threads, **self._options())
            return Answer(alpha, info.as_dict())
        if kind == "folder":
            return Answer(self._finished(dataset, sample.name))
        found = self._function()(_unit(sample.image), _unit(sample.trimap, levels=True))
        return Answer(_check.plane(found, sample.truth.shape, "alpha"))

    def _function(self) -> Any:
        module, _, path = self.spec.partition(":")
        function: Any = importlib.import_module(module)
        for part in path.split("."):
            function = getattr(function, part)
        return function

    def _finished(self, dataset: str, name: str) -> npt.NDArray[Any]:
        """Read a finished alpha."""
        for folder in (Path(self.spec, dataset), Path(self.spec, Path(dataset).name), Path(self.spec)):
            for ending in _ENDINGS:
                path = folder / f"{name}{ending}"
                if os.path.exists(path):
                    return _check._single_channel(load_image(path))
        raise FileNotFoundError(f"no alpha {name}.* in {self.spec}")


def _unit(pixels: npt.NDArray[Any], *, levels: bool = False) -> npt.NDArray[np.float64]:
    """Return pixels as float64 in [0, 1], a trimap as 0, 0.5 and 1."""
    if levels:
        return np.asarray(np.array([0, 1, 0.5])[_check.labels(pixels, pixels.shape)])
    return np.asarray(pixels / _check.full_range(pixels.dtype), np.float64)
