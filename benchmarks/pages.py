"""Draws pages of letters, logos and comics in flat colours, with their alpha and their trimaps."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

PROSE = """
a and answer band black bright by colour dark edge every fall field for from glass grey half hand in
into is it late leaf letter light line long matting mind night not of on one open page paper part
quick read river same shape small so still stone that the then thin this through to two under water
what where white wide word write
"""
WORDS = PROSE.split()
SUPERSAMPLING = 3  # logos and comics are drawn this many times as wide and as high


@dataclass(frozen=True)
class Page:
    """A picture of the benchmark.

    Attributes
    ----------
    kind : {"letters", "logo", "comic figures", "comic ink"}
    name : str
        The kind with its size, such as ``"letters 24 px, 6 MP"``.
    image : (H, W, 3) ndarray of uint8
    alpha : (H, W) ndarray of uint8
        Coverage of each pixel by the foreground, 255 being all of it.
    """

    kind: str
    name: str
    image: np.ndarray
    alpha: np.ndarray


def size_of(megapixels, aspect):
    """Return height and width in pixels; `aspect` is height over width."""
    width = round((megapixels * 1e6 / aspect) ** 0.5)
    return round(width * aspect), width


def text(rng, font, width):
    """Return words that fill a line of `width` pixels."""
    line = str(rng.choice(WORDS))
    while font.getlength(line) < width:
        line += " " + str(rng.choice(WORDS))
    return line


def letters(size, megapixels):
    """Draw lines of text in dark ink on light paper, with letters of `size` pixels."""
    rng = np.random.default_rng(size)
    height, width = size_of(megapixels, 1.4)
    font = ImageFont.load_default(size=size)
    ink = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(ink)
    for y in range(size // 2, height, round(1.4 * size)):
        pen.text((size // 2, y), text(rng, font, width), fill=255, font=font)
    alpha = np.asarray(ink)
    paper, black = np.array([250, 247, 240]), np.array([25, 25, 35])
    image = np.round(paper + (black - paper) * (alpha[..., None] / np.float32(255))).astype(np.uint8)
    return Page("letters", f"letters {size} px, {megapixels:g} MP", image, alpha)


class Canvas:
    """A picture in flat colours and its coverage, drawn large and averaged at the end."""

    def __init__(self, megapixels, aspect, rng):
        self.height, self.width = (SUPERSAMPLING * n for n in size_of(megapixels, aspect))
        self.palette = [tuple(int(c) for c in colour) for colour in rng.integers(0, 256, (8, 3))]
        self.rng = rng
        self.picture = Image.new("RGB", (self.width, self.height), self.palette[0])
        self.cover = Image.new("L", (self.width, self.height), 0)
        self.pens = ImageDraw.Draw(self.picture), ImageDraw.Draw(self.cover)

    def colour(self):
        return self.palette[self.rng.integers(1, len(self.palette))]

    def draw(self, shape, *where, fill, foreground, **how):
        """Draw a shape and mark its pixels as foreground or as background."""
        getattr(self.pens[0], shape)(*where, fill=fill, **how)
        getattr(self.pens[1], shape)(*where, fill=255 if foreground else 0, **how)

    def star(self, x, y, radius, points):
        turn = self.rng.uniform(0, 2 * np.pi)
        angles = turn + np.pi * np.arange(2 * points) / points
        radii = radius * np.where(np.arange(2 * points) % 2, 0.45, 1)
        return [(x + r * np.cos(a), y + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]

    def page(self, kind, megapixels, seed):
        image, alpha = (
            np.asarray(p.resize((p.width // SUPERSAMPLING, p.height // SUPERSAMPLING), Image.Resampling.BOX))
            for p in (self.picture, self.cover)
        )
        return Page(kind, f"{kind} {seed}, {megapixels:g} MP", image, alpha)


def logo(seed, megapixels):
    """Draw a ring, stars, stripes and a word in a few colours on one background colour."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(megapixels, 0.75, rng)
    h, w = canvas.height, canvas.width
    r = 0.3 * h
    for share in (1, rng.uniform(0.7, 0.9), rng.uniform(0.3, 0.6)):
        box = (w / 2 - share * r, 0.35 * h - share * r, w / 2 + share * r, 0.35 * h + share * r)
        canvas.draw("ellipse", box, fill=canvas.colour(), foreground=True)
    canvas.draw("polygon", canvas.star(w / 2, 0.35 * h, 0.25 * h, 5), fill=canvas.colour(), foreground=True)
    for i in range(int(rng.integers(3, 9))):
        star = canvas.star((0.08 + 0.11 * i) * w, 0.08 * h, 0.03 * h, int(rng.integers(4, 8)))
        canvas.draw("polygon", star, fill=canvas.colour(), foreground=True)
    for i in range(int(rng.integers(2, 7))):
        y = (0.7 + 0.02 * i) * h
        canvas.draw("rectangle", (0.1 * w, y, 0.9 * w, y + 0.008 * h), fill=canvas.colour(), foreground=True)
    font = ImageFont.load_default(size=round(0.12 * h))
    word = " ".join(str(word) for word in rng.choice(WORDS, 2)).upper()
    canvas.draw("text", (0.1 * w, 0.84 * h), word, fill=canvas.colour(), foreground=True, font=font)
    return canvas.page("logo", megapixels, seed)


def comic(seed, megapixels, ink):
    """Draw panels of figures with black outlines before backgrounds of flat shapes.

    With `ink` the foreground is outlines, panel borders and letters; otherwise it is figures with
    their outlines.
    """
    rng = np.random.default_rng(seed)
    canvas = Canvas(megapixels, 1.4, rng)
    pen = round(3 * SUPERSAMPLING * megapixels**0.5)
    rows, columns = (int(n) for n in rng.integers(2, 5, 2))
    high, wide = canvas.height / rows, canvas.width / columns
    for i in range(rows):
        for j in range(columns):
            panel(canvas, (j * wide, i * high, (j + 1) * wide, (i + 1) * high), pen, ink)
    return canvas.page("comic ink" if ink else "comic figures", megapixels, seed)


def panel(canvas, box, pen, ink):
    rng = canvas.rng
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    canvas.draw("rectangle", box, fill=canvas.colour(), foreground=False)

    def blob(foreground, largest):
        x, y = rng.uniform(0.1, 0.9, 2) * (wide, high) + (x0, y0)
        a, b = rng.uniform(0.05, largest, 2) * (wide, high)
        shape = ("ellipse", "rectangle", "polygon")[rng.integers(3)]
        where = (
            canvas.star(x, y, min(a, b), int(rng.integers(3, 9)))
            if shape == "polygon"
            else (x - a, y - b, x + a, y + b)
        )
        canvas.draw(shape, where, fill=canvas.colour(), foreground=foreground and not ink)
        outline = [*where, *where[:2]] if shape == "polygon" else where
        how = {"width": pen, "fill": (0, 0, 0)}
        if shape == "polygon":
            canvas.draw("line", outline, foreground=foreground or ink, joint="curve", **how)
        else:
            for drawn, colour in zip(canvas.pens, ((0, 0, 0), 255 if foreground or ink else 0), strict=True):
                getattr(drawn, shape)(where, outline=colour, width=pen)

    for _ in range(int(rng.integers(2, 6))):
        blob(False, 0.5)
    for _ in range(int(rng.integers(1, 6))):
        blob(True, 0.2)
    font = ImageFont.load_default(size=max(8 * SUPERSAMPLING, round(0.05 * high)))
    balloon = (x0 + 0.1 * wide, y0 + 0.03 * high, x0 + 0.9 * wide, y0 + 0.14 * high)
    canvas.draw("rectangle", balloon, fill=(255, 255, 255), foreground=not ink)
    words = text(rng, font, 0.6 * wide)
    canvas.draw("text", balloon[:2], words, fill=(0, 0, 0), foreground=True, font=font)
    canvas.draw("line", (x0, y0, x1, y0, x1, y1, x0, y1, x0, y0), fill=(0, 0, 0), foreground=ink, width=2 * pen)


def as_jpeg(image):
    """Return the image after a JPEG of quality 90 with chroma of half the resolution (4:2:0)."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90, subsampling="4:2:0")
    file.seek(0)
    return np.asarray(Image.open(file))


def trimap(alpha, band):
    """Return a trimap of the coverage; partly covered pixels and those near edges are unknown.

    `band` is "wide" or "narrow". A wide band reaches 3 pixels into the foreground, but each
    connected piece of it keeps its pixels farthest from the edge, however thin it is. A narrow one,
    as erosion of a mask makes it, reaches 1 pixel into the foreground and leaves nothing of thin
    strokes: many letters then have no known pixel. Both reach 2 pixels out of the foreground.
    """
    if band == "wide":
        inside = np.pad(alpha == 255, 1, constant_values=False)
        depth = ndimage.distance_transform_cdt(inside)[1:-1, 1:-1]
        pieces, count = ndimage.label(depth > 0, np.ones((3, 3)))
        deepest = np.zeros(count + 1, depth.dtype)
        np.maximum.at(deepest, pieces.ravel(), depth.ravel())
        surely = (depth > 0) & (depth >= np.minimum(4, deepest[pieces]))
    else:
        surely = ndimage.binary_erosion(alpha >= 128) & (alpha == 255)
    near = ndimage.maximum_filter((alpha > 0).view(np.uint8), 5) > 0
    labels = near * np.uint8(128)
    labels[surely] = 255
    return labels


def regions(labels):
    """Number the connected regions of the unknown pixels from 1, with 0 elsewhere, and count them.

    Two unknown pixels are neighbours if a window of 3 x 3 pixels holds both, that is, if they are
    at most 2 pixels apart in x and in y.
    """
    unknown = labels == 128
    wide = unknown.copy()
    wide[1:] |= unknown[:-1]
    wide[:, 1:] |= wide[:, :-1].copy()
    numbers, count = ndimage.label(wide, np.ones((3, 3)))
    numbers[~unknown] = 0
    return numbers, count
