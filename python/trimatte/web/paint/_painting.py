"""A picture that somebody paints on: where it starts, its strokes, its solves."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._pipeline import Results
from ..._pixels import eight_bits
from ...batch._cost import bytes_for
from ...colour import displayed
from ...composite import stacked
from ...io.picture import Picture
from ...io.write import Output, encoded
from ...trimap import FOREGROUND, UNKNOWN
from ._labels import Labels, Trimap, reduced
from ._scales import Scales
from ._solving import Question, Result, Tell, Ticket, Wish, fine_factor, quick_factor, whole
from ._start import FromMask, FromTrimap, Nothing, Start
from ._strokes import Stroke, as_json

RESULTS = ("cutout", "alpha", "foreground", "trimap")
"""What can be saved."""

# Picture, what is shown of it, trimap and start, the last alpha and colours.
_BYTES_PER_PIXEL = 40
_SHOWN_PIXELS = 36e6  # most pixels of a picture or a trimap that a page shows


class Painting:
    """A picture that somebody paints on.

    Parameters
    ----------
    picture : Picture
        Opaque, grey or RGB.
    name : str
        What the file was called, without its folder.
    start : Start, optional
        What there is before the first stroke.
    """

    def __init__(self, picture: Picture, name: str, *, start: Start | None = None) -> None:
        self.name = name
        self.scales = Scales(picture)
        self.start: Start = start or Nothing()
        self.guide: FromMask | FromTrimap | None = start if isinstance(start, (FromMask, FromTrimap)) else None
        self.labels = Labels(self.start.labels(self.scales))
        self._changing = threading.Lock()  # of start and strokes
        self._solving = threading.Lock()  # one solve at a time
        self._ticket = Ticket()
        self._version = 0
        self._near: npt.NDArray[np.float32] | None = None
        self._whole: tuple[int, Wish, Result] | None = None

    def state(self) -> dict[str, Any]:
        """Return what a page needs to show the picture as it is."""
        height, width = self.scales.shape
        return {
            "name": self.name,
            "width": width,
            "height": height,
            "start": self.start.as_json(),
            "guide": None if self.guide is None else self.guide.kind,
            "strokes": [as_json(stroke) for stroke in self.labels.strokes],
            **self._known(),
        }

    def begin_with(self, start: Start) -> dict[str, Any]:
        """Put another start under the strokes; return what `paint` returns."""
        base = start.labels(self.scales)
        self.cancel()
        with self._changing:
            self.start = start
            if isinstance(start, (FromMask, FromTrimap)):
                self.guide = start
            labels = Labels(base)
            labels.paint(0, self.labels.strokes)
            self.labels = labels
            self._version += 1
            self._near = None
            return self._known()

    def paint(self, keep: int, strokes: list[Stroke]) -> dict[str, Any]:
        """Keep the first strokes and add others.

        Returns
        -------
        dict
            "count" of strokes, "unknown" pixels, and which kinds of known pixels are "missing" for a
            solve.
        """
        self.cancel()
        with self._changing:
            if not 0 <= keep <= len(self.labels.strokes):
                raise ValueError(f"keep: expected 0 to {len(self.labels.strokes)} strokes, got {keep}")
            self.labels.paint(keep, strokes)
            self._version += 1
            return self._known()

    def _known(self) -> dict[str, Any]:
        trimap = self.labels.trimap
        counts = {value: int(np.count_nonzero(trimap == value)) for value in (FOREGROUND, 0)}
        names = {0: "background", FOREGROUND: "foreground"}
        needed = isinstance(self.start, (Nothing, FromTrimap))
        missing = [names[value] for value, count in counts.items() if count == 0 and needed]
        unknown = trimap.size - sum(counts.values())
        return {"count": len(self.labels.strokes), "unknown": unknown, "missing": missing if unknown else []}

    def cancel(self) -> None:
        """Stop the solve that runs, if there is one."""
        self._ticket.cancel()

    def ticket(self) -> Ticket:
        """Stop the solve that runs and return the right to the next one."""
        self.cancel()
        self._ticket = Ticket()
        return self._ticket

    @property
    def memory(self) -> int:
        """About how many bytes it holds."""
        size: int = self.labels.trimap.size
        return _BYTES_PER_PIXEL * size + self.labels.bytes

    def cost(self, wish: Wish, size: str) -> int:
        """Estimate the memory, in bytes, of a process that solves; see `solve`."""
        with self._changing:
            unknown = int(np.count_nonzero(self.labels.trimap == UNKNOWN))
        factor = self._factor(size, unknown)
        height, width = self.scales.shape_at(factor)
        options = {**dict(wish.options), "method": wish.method, "foreground_method": wish.colours}
        need: int = bytes_for(height * width, self.scales.holds_floats, unknown // factor**2, options)
        return need

    def _factor(self, size: str, unknown: int) -> int:
        if size == "quick":
            return quick_factor(self.scales, unknown)
        return 1 if size == "whole" else fine_factor(self.scales, unknown)

    def solve(
        self, wish: Wish, size: str, ticket: Ticket, tell: Tell, threads: int | None = None
    ) -> tuple[Result, bool]:
        """Find alpha and colours.

        Parameters
        ----------
        wish : Wish
            How.
        size : {"quick", "fine", "whole"}
            For somebody who paints, for somebody who looks, or for a file.
        ticket, tell
            See `Question.answer`.
        threads : int, optional
            Threads of the solve; the default is all usable cores.

        Returns
        -------
        Result, bool
            Whether a "fine" solve would have more pixels comes second.
        """
        with self._solving:
            ticket.check()
            with self._changing:
                question = Question(self.scales, self.start, self.labels.trimap.copy(), wish, threads)
                version = self._version
            unknown = question.unknown()
            fine, factor, quick = self._factor("fine", unknown), self._factor(size, unknown), size == "quick"
            if self._whole is not None and self._whole[:2] == (version, wish) and (not quick or factor == 1):
                return self._whole[2], False
            if size == "whole":
                result = whole(question, self._near, ticket, tell)
            else:
                result = question.answer(factor, self._near, ticket, tell)
            if quick or self._near is None:
                self._near = np.asarray(result.alpha, np.float32)
            self._whole = (version, wish, result) if result.factor == 1 else None
            return result, result.factor > fine

    def shown(self, result: Result) -> npt.NDArray[np.uint8]:
        """Return colours and alpha of a result as straight RGBA for a display."""
        space = self.scales.at(result.factor)[1]
        colours = np.clip(displayed(result.foreground, space), 0, 1)
        return stacked(colours, result.alpha, np.uint8)

    def picture(self) -> npt.NDArray[np.uint8]:
        """Return the picture for a display."""
        factor = self.scales.factor(_SHOWN_PIXELS)
        return self.scales.shown if factor == 1 else eight_bits(self.scales.at(factor)[0])

    def trimap(self, painted: bool) -> Trimap:
        """Return the trimap for a display, with its strokes or without them."""
        with self._changing:
            trimap = self.labels.trimap.copy() if painted else self.labels.base
        return reduced(trimap, self.scales.factor(_SHOWN_PIXELS))

    def save(
        self, what: str, wish: Wish, ticket: Ticket, tell: Tell, threads: int | None = None
    ) -> tuple[str, bytes]:
        """Return the name of a result and its file, at the picture's whole size.

        Parameters
        ----------
        what : str
            One of `RESULTS`.
        wish, ticket, tell, threads
            See `solve`.
        """
        picture = self.scales.picture
        suffix = ".exr" if picture.format == "EXR" and what != "trimap" else ".png"
        name = f"{os.path.splitext(self.name)[0] or 'picture'}-{what}{suffix}"
        if what == "trimap":
            with self._changing:
                return name, encoded(Output("trimap.png", self.labels.trimap.copy()))
        result, _ = self.solve(wish, "whole", ticket, tell, threads)
        results, path = Results(picture, picture.colour_space), "result" + suffix
        if what == "alpha":
            return name, encoded(results.alpha(path, result.alpha))
        if what == "foreground":
            return name, encoded(results.colours(path, result.foreground))
        return name, encoded(results.cutout(path, result.foreground, result.alpha))
