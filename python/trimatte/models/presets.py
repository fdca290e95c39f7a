"""What families of segmentation networks are given, what they answer, and their licences."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _check

Triple = tuple[float, float, float]

_IMAGENET: tuple[Triple, Triple] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CENTRED: tuple[Triple, Triple] = ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
_SIGNED: tuple[Triple, Triple] = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class Preset:
    """What a network is given, and how its answer is read.

    The network sees ``(picture / white - mean) / deviation``. An answer outside [0, 1] counts as
    logits, and its sigmoid is taken.

    Attributes
    ----------
    side : int
        Height and width, in pixels, that the picture is scaled to. With `keeps_aspect` it is the
        shorter side. What the file itself says counts before.
    mean, deviation : (float, float, float)
        Mean and deviation of the red, green and blue channels.
    from_brightest : bool
        Whether white is the picture's largest sample instead of the largest possible one.
    stretched : bool
        Whether the answer's least value becomes 0 and its largest one 1. An answer that nowhere
        reaches 0.5 is left as it is, so that noise does not become a subject.
    keeps_aspect : bool
        Whether the picture keeps its aspect, with sides that are multiples of 32.
    licence : str
        That of the family's published weights; it is said in messages and nothing else.
    """

    side: int
    mean: Triple = _IMAGENET[0]
    deviation: Triple = _IMAGENET[1]
    from_brightest: bool = False
    stretched: bool = False
    keeps_aspect: bool = False
    licence: str = "unknown"

    def __post_init__(self) -> None:
        _check.at_least(self.side, 1, "side", 16384)
        for name in ("mean", "deviation"):
            triple = getattr(self, name)
            if not isinstance(triple, tuple) or len(triple) != 3:
                raise TypeError(f"{name}: expected a tuple of 3 numbers, got {triple!r}")
            for part in triple:
                _check.number(part, name)
        if 0 in self.deviation:
            raise ValueError(f"deviation: expected numbers other than 0, got {self.deviation}")


PRESETS = {
    "u2net": Preset(320, *_IMAGENET, from_brightest=True, stretched=True, licence="Apache 2.0"),
    "isnet": Preset(1024, *_CENTRED, from_brightest=True, stretched=True, licence="Apache 2.0"),
    "isnet-anime": Preset(
        1024, _IMAGENET[0], _CENTRED[1], from_brightest=True, stretched=True, licence="Apache 2.0"
    ),
    "birefnet": Preset(1024, *_IMAGENET, licence="MIT"),
    "modnet": Preset(512, *_SIGNED, keeps_aspect=True, licence="Apache 2.0"),
    "rmbg-1.4": Preset(1024, *_CENTRED, stretched=True, licence="BRIA's own, for non-commercial use"),
    "rmbg-2.0": Preset(1024, *_IMAGENET, licence="CC BY-NC 4.0, for non-commercial use"),
}
"""The families that are known, by name."""

# Parts of files' names, the more special ones first.
_IN_NAMES = (
    ("u2net", "u2net"),
    ("u-2-net", "u2net"),
    ("silueta", "u2net"),
    ("isnet-anime", "isnet-anime"),
    ("isnet", "isnet"),
    ("birefnet", "birefnet"),
    ("modnet", "modnet"),
    ("rmbg-1.4", "rmbg-1.4"),
    ("rmbg-2", "rmbg-2.0"),
    ("bria-rmbg", "rmbg-2.0"),
)
# Families by the side of the picture that a file asks for; None stands for any side.
_BY_SIDE = {320: "u2net", 1024: "birefnet", 512: "modnet", None: "modnet"}


def named(name: str) -> str | None:
    """Return the family that a file's name speaks of; None if it speaks of none."""
    plain = name.lower().replace("_", "-")
    return next((family for part, family in _IN_NAMES if part in plain), None)


def of_side(side: int | None) -> str | None:
    """Return the family that most probably asks for pictures of a side; None if none is known."""
    return _BY_SIDE.get(side)
