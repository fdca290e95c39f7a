"""Data sets are named samples, each of which is made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, overload

import numpy as np
import numpy.typing as npt

from .._check import labels
from ..errors import DatasetError


class Sample(NamedTuple):
    """A picture, its trimap and its true alpha.

    Attributes
    ----------
    name : str
        Unique within its data set.
    image : (H, W, 3) or (H, W) ndarray
        Integers over their whole range, or floats in [0, 1].
    trimap : (H, W) ndarray of uint8
        0 background, 128 unknown, 255 foreground.
    truth : (H, W) ndarray
        The true alpha, integers over their whole range, or floats in [0, 1].
    """

    name: str
    image: npt.NDArray[Any]
    trimap: npt.NDArray[np.uint8]
    truth: npt.NDArray[Any]


class Source(Protocol):
    """Origin of a sample. It can be pickled, so that a worker process can load the sample."""

    @property
    def name(self) -> str:
        """The sample's name."""
        ...

    def load(self) -> Sample:
        """Read or render the sample."""
        ...

    def state(self) -> str:
        """Return a text of all that the sample depends on; if it changes, old results are stale."""
        ...


class Dataset(Sequence[Sample]):
    """Samples that are read or rendered when they are asked for.

    ``dataset[0]``, ``dataset["GT01"]`` and iteration load samples. ``dataset[:5]`` and
    :meth:`select` return smaller data sets. ``dataset.names`` and ``len(dataset)`` load nothing.

    Parameters
    ----------
    name : str
        Name of the data set in tables.
    sources : sequence of Source
        Origins of the samples; their names differ.

    Attributes
    ----------
    name : str
        As given.
    sources : tuple of Source
        As given.

    Examples
    --------
    >>> import trimatte as tm
    >>> scenes = tm.datasets.scenes(height=64, width=96)
    >>> len(scenes)
    24
    >>> scenes["glass"].truth.shape
    (64, 96)
    >>> [sample.name for sample in scenes[:2]]
    ['dandelion', 'dandelion-noise']
    """

    def __init__(self, name: str, sources: Sequence[Source]) -> None:
        self.name = name
        self.sources = tuple(sources)
        self._by_name = {source.name: source for source in self.sources}
        if len(self._by_name) != len(self.sources):
            names = self.names
            twice = next(n for n in names if names.count(n) > 1)
            raise DatasetError(f"{name}: expected different names, got two samples {twice!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples, in order."""
        return tuple(source.name for source in self.sources)

    def __len__(self) -> int:
        return len(self.sources)

    @overload
    def __getitem__(self, index: int | str) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Dataset: ...

    def __getitem__(self, index: int | str | slice) -> Sample | Dataset:
        if isinstance(index, slice):
            return Dataset(self.name, self.sources[index])
        if isinstance(index, str):
            if index not in self._by_name:
                raise KeyError(f"{index!r} is not in {self.name}; there are {', '.join(self.names)}")
            return self._by_name[index].load()
        return self.sources[index].load()

    def __iter__(self) -> Iterator[Sample]:
        for source in self.sources:
            yield source.load()

    def __repr__(self) -> str:
        return f"<Dataset {self.name!r}: {len(self)} samples>"

    def select(self, names: Sequence[str]) -> Dataset:
        """Return the samples of these names, in the order of the data set.

        Raises
        ------
        DatasetError
            If there is no sample of a name.
        """
        for name in names:
            if name not in self._by_name:
                raise DatasetError(f"{self.name}: no sample {name!r}; there are {', '.join(self.names)}")
        return Dataset(self.name, [source for source in self.sources if source.name in names])


def checked(name: str, image: npt.NDArray[Any], trimap: npt.NDArray[Any], truth: npt.NDArray[Any]) -> Sample:
    """Return a sample with parts of one size and a trimap of 3 levels, or raise DatasetError."""
    sizes = {"image": image.shape[:2], "trimap": trimap.shape[:2], "truth": truth.shape[:2]}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{part} {size}" for part, size in sizes.items())
        raise DatasetError(f"{name}: expected parts of one size, got {found}")
    levels = np.array([0, 255, 128], np.uint8)  # for the labels 0, 1, 2 of the core
    return Sample(name, image, levels[labels(trimap, image.shape)], truth)
