"""Pictures beside each other, each with a line of text under it."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LINE = 22  # height of the text under a panel
GAP = 6
LEVELS = 160  # colours of a written picture, so that it stays small


def eight_bits(pixels):
    """Return a picture of [0, 1], or of 8 bits, as 8 bits."""
    pixels = np.asarray(pixels)
    return pixels if pixels.dtype == np.uint8 else np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def panel(pixels, title, *, side, crop=np.s_[:, :]):
    """Return a part of a picture, enlarged to a width of `side` pixels, with a title under it."""
    shown = Image.fromarray(np.ascontiguousarray(eight_bits(pixels)[crop])).convert("RGB")
    height = round(side * shown.height / shown.width)
    shown = shown.resize((side, height), Image.Resampling.BICUBIC)
    whole = Image.new("RGB", (side + GAP, height + LINE), "white")
    whole.paste(shown, (GAP // 2, 0))
    ImageDraw.Draw(whole).text((GAP // 2 + 2, height + 4), title, fill="black", font=ImageFont.load_default(13))
    return np.asarray(whole)


def side_by_side(panels, columns):
    """Return panels of one size in rows."""
    panels = [*panels, *[np.full_like(panels[0], 255)] * (-len(panels) % columns)]
    return np.concatenate(
        [np.concatenate(panels[i : i + columns], axis=1) for i in range(0, len(panels), columns)]
    )


def write(path, pixels):
    """Write a picture with a palette, and say how large it is."""
    picture = Image.fromarray(pixels).quantize(LEVELS, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
