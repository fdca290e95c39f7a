"""What is measured: a method of trimatte, somebody else's function, or finished alphas."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check, _core, methods
from .._arguments import AffinityOptions, AlphaOptions
from ..alpha import solve_alpha
from ..datasets import Sample
from ..datasets._files import pictures_in
from ..io.names import state_of
from ..io.read import load_image

# Side of a picture on which options are tried: any usual radius fits.
_TRIAL_SIDE = 512


# Arguments of `solve_alpha` that a spec may give besides the options of its method.
_OPTIONS = (
    AlphaOptions.__optional_keys__ - AffinityOptions.__optional_keys__ - {"method", "prior", "threads", "progress"}
)


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

        * a method of trimatte, with a prior and options if wanted: ``"best"``,
          ``"closed-form+sampling"``, ``"closed-form,epsilon=1e-5,radius=2"``; see
          :func:`trimatte.solve_alpha`;
        * ``"package.module:function"``, called as ``function(image, trimap)`` with float64 arrays
          in [0, 1], the image (H, W, 3), or (H, W) if it is grey, the trimap (H, W) with 0, 0.5 and
          1; it returns alpha, (H, W). The module may lie in the current folder;
        * a folder of finished alphas, pictures named like the samples, in it or in a folder in it
          that is named like the data set.

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
        """Make a method of ``SPEC`` or ``NAME=SPEC``.

        The default name is the spec, or the folder's name.

        Raises
        ------
        ValueError
            If the spec is neither a method of trimatte, nor a function's name, nor a folder, or its
            options are not such of :func:`trimatte.solve_alpha`.
        """
        name, equals, spec = text.partition("=")
        if not equals or "," in name or name in ("", *methods.names()) or Path(text).is_dir():
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
        if head in methods.names():
            self._options()
            return "trimatte"
        if self.spec and Path(self.spec).is_dir():
            return "folder"
        if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", self.spec):
            return "function"
        names = methods.names()
        raise ValueError(
            f"method: expected one of {', '.join(names)}, package.module:function, or a folder of alphas, "
            f"got {self.spec!r}{_check.meant(head, names)} (NAME=METHOD names it; NAME is not one of these)"
        )

    def _options(self) -> dict[str, Any]:
        """Return the arguments of `solve_alpha` that the spec gives."""
        head, *pairs = self.spec.split(",")
        methods.meaning(head)
        options: dict[str, Any] = {"method": head}
        known = sorted({*_OPTIONS, *methods.options()})
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals or key not in known:
                got = f"got {pair!r}{_check.meant(key, known)}"
                raise ValueError(f"method: expected options of {', '.join(known)}, {got}")
            try:
                options[key] = json.loads(value)
            except json.JSONDecodeError:
                options[key] = value
        return options

    def state(self, dataset: str, sample: str) -> str:
        """Say what its result for a sample depends on, apart from the sample. Raises OSError."""
        kind = self._kind()
        if kind == "folder":
            path = self._finished(dataset, sample)
            return f"{path} {state_of(str(path))}"
        if kind == "trimatte":
            return f"{self.spec}; trimatte {_core.__version__}"
        _import_from_here()
        module = importlib.util.find_spec(self.spec.partition(":")[0])
        source = None if module is None else module.origin
        return f"{self.spec} {state_of(source) if source and os.path.exists(source) else ''}"

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
            path = self._finished(dataset, sample.name)
            return Answer(_check.single_channel(load_image(path), str(path)))
        function = self._function()
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for results
            found = function(_unit(sample.image), _unit(sample.trimap, levels=True))
        if found is None:
            raise TypeError("alpha: expected an array, got None")
        return Answer(_check.plane(found, sample.truth.shape, "alpha"))

    def refuse_unusable(self) -> None:
        """Raise ValueError if no sample could be done: no such function, an option out of range."""
        kind = self._kind()
        if kind == "trimatte":
            self._try_options()
        elif kind == "function":
            self._try_function()

    def _try_function(self) -> None:
        try:
            function = self._function()
        except (Exception, SystemExit) as error:
            raise ValueError(f"method: expected the function {self.spec}, got {said(error)}") from error
        if not callable(function):
            raise ValueError(f"method: expected the function {self.spec}, got {_check.kind_of(function)}")

    def _try_options(self) -> None:
        known = np.zeros((_TRIAL_SIDE, _TRIAL_SIDE), np.uint8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the trimap has no unknown pixels, and nothing is solved
            try:
                solve_alpha(known, known, **self._options())
            except (ValueError, TypeError) as error:
                raise ValueError(f"method: {self.spec}: {error}") from error

    def _function(self) -> Any:
        module, _, path = self.spec.partition(":")
        _import_from_here()
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for results
            function: Any = importlib.import_module(module)
        for part in path.split("."):
            function = getattr(function, part)
        return function

    def _finished(self, dataset: str, sample: str) -> Path:
        """Find a finished alpha, also under the names that an evaluation gives its own."""
        for below in (dataset, slugged(dataset), Path(dataset).name, ""):
            folder = Path(self.spec, below)
            found = {path.stem: path for path in pictures_in(folder)} if folder.is_dir() else {}
            for name in (sample, slug(sample)):
                if name in found:
                    return found[name]
        raise FileNotFoundError(f"no alpha {sample}.* in {self.spec}")


def said(error: BaseException) -> str:
    """Return kind and message of an exception on one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(its message cannot be read)"
    return f"{type(error).__name__}: {text}".encode(errors="backslashreplace").decode()


def slug(name: str) -> str:
    """Return a name that every file system takes."""
    plain = re.sub(r"[^\w.+-]+", "_", name, flags=re.ASCII)
    if plain == name and plain.strip("."):
        return plain
    mark = hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:6]
    return f"{plain.strip('.')}-{mark}"


def slugged(name: str) -> str:
    """Return the same for each part of a data set's name."""
    return "/".join(slug(part) for part in name.split("/"))


def _import_from_here() -> None:
    """Let a function's module lie in the current folder."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def _unit(pixels: npt.NDArray[Any], *, levels: bool = False) -> npt.NDArray[np.float64]:
    """Return pixels as float64 in [0, 1], a trimap as 0, 0.5 and 1."""
    if levels:
        return np.asarray(np.array([0, 1, 0.5])[_check.labels(pixels, pixels.shape)])
    return np.asarray(pixels / _check.full_range(pixels.dtype), np.float64)
