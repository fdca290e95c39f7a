"""The fields of a request: one table says what is read, what is refused and what the page shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field as DataclassField
from dataclasses import dataclass
from typing import Any

from .. import foreground, methods
from .._solver import LEAST_TOLERANCE, SOLVERS
from ..colour import SPACES
from ..io.formats import BITS
from .errors import Refused

GUIDES = ("trimap", "mask", "scribbles", "key")
"""What says where the foreground of a picture is."""

FORMATS = {"png": ".png", "jpg": ".jpg", "webp": ".webp", "tiff": ".tif", "exr": ".exr"}
"""What a picture can be sent as, and the ending of such files."""

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True)
class Field:
    """One field of a form.

    Attributes
    ----------
    name : str
        Its name.
    kind : type
        bytes for a picture file; str, int, float or bool for a text that means such a value.
    help : str
        What it says.
    default : object
        What counts if it is missing; None if the library knows that.
    choices : tuple of str
        The only values that it may have; empty if others do as well.
    least, most : float or None
        Bounds of a number.
    only : tuple of str
        The guides that it goes with; empty if it goes with all.
    """

    name: str
    kind: type
    help: str
    default: Any = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    only: tuple[str, ...] = ()

    def value(self, text: str) -> Any:
        """Return what a text means.

        Raises
        ------
        Refused
            If it means no value of this kind.
        """
        made: Any = text
        if self.choices and text not in self.choices:
            raise self._wrong(f"one of {', '.join(self.choices)}", text)
        if self.kind is bool:
            if text.strip().lower() not in _WORDS:
                raise self._wrong("true or false", text)
            made = _WORDS[text.strip().lower()]
        elif self.kind in (int, float):
            made = self._number(text)
        return made

    def _number(self, text: str) -> float:
        wanted = "a whole number" if self.kind is int else "a number"
        least = "" if self.least is None else f" from {self.least:g}"
        most = "" if self.most is None else f" up to {self.most:g}"
        try:
            number = self.kind(text)
        except (ValueError, OverflowError):
            raise self._wrong(wanted + least + most, text) from None
        if not (
            (self.least is None or number >= self.least) and (self.most is None or number <= self.most)
        ) or abs(number) == float("inf"):
            raise self._wrong(wanted + least + most, text)
        return number  # type: ignore[no-any-return]

    def _wrong(self, wanted: str, text: str) -> Refused:
        return Refused(400, f"invalid_{self.name}", f"{self.name}: expected {wanted}, got {shown(text)}")


def shown(text: str) -> str:
    """Return a text from a request as messages show it: short, on one line, in quotes."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def values(fields: Iterable[Field], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the fields that a request has, and the defaults of the others."""
    found = {}
    for field in fields:
        text = given.get(field.name, "")
        if text != "" and field.kind is not bytes:
            found[field.name] = field.value(text)
        elif field.default is not None:
            found[field.name] = field.default
    return found


_SOLVED = ("trimap", "scribbles")


def _of_affinities() -> Iterable[Field]:
    """Yield the options of all affinities, as the command line has them."""
    for name, own in methods.options().items():
        kinds: set[type] = {type(one.default) for one in own.values()}
        kind = str if str in kinds else bool if bool in kinds else int if kinds == {int} else float
        least, most = (_bound(own, bound) for bound in ("least", "most"))
        texts = dict.fromkeys(one.metadata.get("help", "") for one in own.values())
        text = " ".join([*filter(None, texts), f"For {', '.join(own)}."])
        yield Field(name, kind, text, None, (), least, most, _SOLVED)


def _bound(own: Mapping[str, DataclassField[Any]], bound: str) -> float | None:
    found = [one.metadata.get(bound) for one in own.values()]
    numbers = [float(value) for value in found if value is not None]
    if len(numbers) < len(found):
        return None
    return min(numbers) if bound == "least" else max(numbers)


MATTE = (
    Field("image", bytes, "The picture: PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIC, EXR or DPX."),
    Field("trimap", bytes, "White is surely foreground, black surely background, grey unknown."),
    Field("mask", bytes, "A rough mask, as segmentation networks make it; white is foreground."),
    Field("scribbles", bytes, "The picture with white strokes on the foreground, black ones on the background."),
    Field("key", str, "The colour of an even background: auto, #rrggbb or a CSS name."),
    Field("what", str, "What to send; all is a ZIP archive of the three.", "cutout",
          ("cutout", "alpha", "foreground", "all")),
    Field("format", str, "The file format; JPEG has no transparency.", "png", tuple(FORMATS)),
    Field("method", str, f"{', '.join(methods.names())}, or AFFINITY+PRIOR.", None, only=_SOLVED),
    Field("seed", int, "Seed of methods that draw random numbers.", None, (), 0, 2**31 - 1,
          (*_SOLVED, "mask")),
    Field("solver", str, "How the system is solved.", None, SOLVERS),
    Field("tolerance", float, "The largest error of alpha.", None, (), LEAST_TOLERANCE, 1),
    Field("max_iterations", int, "Iterations after which a solver gives up.", None, (), 1, 2**31 - 1),
    *_of_affinities(),
    Field("known_weight", float, "Let known pixels move a little.", None, (), 1e-12, 1e12, _SOLVED),
    Field("background_threshold", float, "Trimap values up to this are background.", None, (), 0, 1, ("trimap",)),
    Field("foreground_threshold", float, "Trimap values from this are foreground.", None, (), 0, 1, ("trimap",)),
    Field("band", float, "Half the width of the unknown band along a mask's edge, in pixels.", None, (), 0, 1e6,
          ("mask",)),
    Field("threshold", float, "Where the mask's edge is, between 0 and 1.", None, (), 0, 1, ("mask",)),
    Field("learn", bool, "Learn the colours that a mask leaves known; it takes longer.", None, only=("mask",)),
    Field("see_through", bool, "The subject is see-through inside: glass, veils, smoke.", False, only=("key",)),
    Field("foreground_method", str, "How the colours are found.", None, tuple(foreground.METHODS)),
    Field("colour_space", str, "What the picture's colours are; linear is usual for floats.", None, SPACES),
    Field("bits", str, "Bits of a sample that is sent; as many as the picture has by default.", None,
          tuple(map(str, BITS))),
)  # fmt: skip
"""The fields of POST /v1/matte."""
