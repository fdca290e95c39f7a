"""The nodes. Each is a class as ComfyUI wants it; what it does is one call of trimatte a frame."""

import functools
from typing import ClassVar

import numpy as np

from . import frames

METHODS = [
    "auto",
    "best",
    "closed-form",
    "learning-based",
    "knn",
    "random-walk",
    "large-kernel",
    "information-flow",
]
PRIORS = [
    "none",
    "fusion",
    "composite-network",
    "sampling",
    "shared-sampling",
    "robust",
    "patch-network",
    "patch-regression",
]
COLOURS = ["multi-level", "closed-form", "blur-fusion"]
TRANSPARENT = "transparent"

IMAGE_TIP = "The picture, or a batch of frames."
ALPHA_TIP = "White is opaque, black is see-through."
SUBJECT_TIP = "White is the subject. Load Image gives the reverse: put Invert Mask between."


def mask_input(tooltip):
    """Return the declaration of a socket for masks."""
    return ("MASK", {"tooltip": tooltip})


def image_input(tooltip=IMAGE_TIP):
    """Return the declaration of a socket for pictures."""
    return ("IMAGE", {"tooltip": tooltip})


def choice(values, tooltip):
    """Return the declaration of a list; the first value is the default."""
    return (values, {"default": values[0], "tooltip": tooltip})


def switch(default, tooltip):
    """Return the declaration of a switch."""
    return ("BOOLEAN", {"default": default, "tooltip": tooltip})


def line(default, tooltip):
    """Return the declaration of a line of text."""
    return ("STRING", {"default": default, "tooltip": tooltip})


def number(default, least, most, step, tooltip):
    """Return the declaration of a number; the step's type is the number's."""
    kind = "INT" if isinstance(step, int) else "FLOAT"
    return (kind, {"default": default, "min": least, "max": most, "step": step, "tooltip": tooltip})


class Node:
    """What all nodes have in common: ComfyUI asks for CATEGORY, FUNCTION and INPUT_TYPES."""

    CATEGORY = "trimatte"
    FUNCTION = "run"
    REQUIRED: ClassVar = {}
    OPTIONAL: ClassVar = {}

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": dict(cls.REQUIRED), "optional": dict(cls.OPTIONAL)}


class TrimatteTrimap(Node):
    """A trimap from a mask."""

    TITLE = "Mask to Trimap"
    DESCRIPTION = (
        "Makes a trimap: what is surely the subject is white, what is surely the background is black, and the "
        "band along the mask's edge is grey. The node Matte finds alpha in the grey band."
    )
    RETURN_TYPES = ("MASK",)
    RETURN_NAMES = ("trimap",)
    OUTPUT_TOOLTIPS = ("White, grey and black: subject, unknown, background.",)
    REQUIRED: ClassVar = {
        "mask": mask_input(SUBJECT_TIP),
        "automatic": switch(True, "The mask's own soft edge and its size give the width of the band."),
        "erode": number(10, 0, 4096, 1, "How far the band reaches into the subject, in pixels."),
        "dilate": number(10, 0, 4096, 1, "How far the band reaches out, in pixels: the longest hair."),
        "threshold": number(0.5, 0.01, 0.99, 0.01, "Where the mask's edge is."),
    }

    def run(self, mask, automatic, erode, dilate, threshold):
        tm = frames.library()

        def work(plane, progress):
            if automatic:
                trimap = tm.trimap_from_soft_mask(plane, threshold=threshold)
            else:
                trimap = tm.trimap_from_mask(plane, erode=erode, dilate=dilate, threshold=threshold)
            return (np.choose(trimap // 127, [0.0, 0.5, 1.0]),)

        return frames.each(work, mask=frames.masks(mask, "mask"))


class TrimatteMatte(Node):
    """Alpha from a trimap."""

    TITLE = "Matte"
    DESCRIPTION = (
        "Finds alpha, the opacity of each pixel, where the trimap is grey. closed-form is fast and exact. best "
        "also learns the colours of the subject and of the background; it takes about half a second more. auto "
        "is best for trimaps, and closed-form where only strokes are known."
    )
    RETURN_TYPES = ("MASK",)
    RETURN_NAMES = ("alpha",)
    OUTPUT_TOOLTIPS = (ALPHA_TIP,)
    REQUIRED: ClassVar = {
        "image": image_input(),
        "trimap": mask_input("White is surely the subject, black surely background, grey unknown."),
        "method": choice(METHODS, "How alpha flows from pixel to pixel."),
        "prior": choice(PRIORS, "A guess from colours that counts beside the method; best has its own."),
        "temporal": number(
            0.0,
            0.0,
            10.0,
            0.01,
            "For frames of a clip: how much what stands still is held to the frame before; 0.1 removes "
            "flicker. It takes no prior.",
        ),
    }

    def run(self, image, trimap, method, prior, temporal=0.0):
        tm = frames.library()
        pixels, planes = frames.images(image, "image"), frames.masks(trimap, "trimap")
        count = frames.batch("image", pixels, trimap=planes)
        shown = [None]  # the progress of the frame that is being solved
        results = tm.solve_sequence(
            (frames.frame(pixels, index) for index in range(count)),
            (frames.frame(planes, index) for index in range(count)),
            method=method,
            prior=None if prior == PRIORS[0] else prior,
            temporal=temporal,
            progress=lambda phase, fraction: shown[0](phase, fraction),
        )

        def work(index, progress):
            shown[0] = progress
            return (next(results).alpha,)

        return frames.collected(count, work)


class TrimatteRefineMask(Node):
    """Alpha from a network's mask."""

    TITLE = "Refine Mask"
    DESCRIPTION = (
        "Turns the rough mask of a segmentation network into alpha: hair, fur and soft edges come back. It needs "
        "no trimap."
    )
    RETURN_TYPES = ("MASK",)
    RETURN_NAMES = ("alpha",)
    OUTPUT_TOOLTIPS = (ALPHA_TIP,)
    REQUIRED: ClassVar = {
        "image": image_input(),
        "mask": mask_input(SUBJECT_TIP),
        "band": number(
            0.0,
            0.0,
            4096.0,
            0.5,
            "How far from its edge the mask may be wrong, in pixels; 0 finds it from the mask.",
        ),
        "learn": switch(True, "Learn the picture's colours: half a second more, fewer errors."),
    }

    def run(self, image, mask, band, learn):
        tm = frames.library()

        def work(picture, plane, progress):
            return (tm.matte_from_mask(picture, plane, band=band or None, learn=learn, progress=progress),)

        return frames.each(work, image=frames.images(image, "image"), mask=frames.masks(mask, "mask"))


class TrimatteForeground(Node):
    """Colours of the layers."""

    TITLE = "Foreground Colours"
    DESCRIPTION = (
        "Frees the subject's soft edges from the old background's colour, so that they show no fringe before a "
        "new one."
    )
    RETURN_TYPES = ("IMAGE", "IMAGE")
    RETURN_NAMES = ("foreground", "background")
    OUTPUT_TOOLTIPS = ("The subject's own colours.", "The background's colours, guessed behind the subject.")
    REQUIRED: ClassVar = {
        "image": image_input(),
        "alpha": mask_input(ALPHA_TIP),
        "method": choice(COLOURS, "multi-level is fast; closed-form is smoother."),
    }

    def run(self, image, alpha, method):
        work = functools.partial(frames.library().estimate_foreground, method=method)
        return frames.each(work, image=frames.images(image, "image"), alpha=frames.masks(alpha, "alpha"))


class TrimatteKey(Node):
    """A matte before a green screen."""

    TITLE = "Key"
    DESCRIPTION = (
        "Mattes a subject before an even background, such as a green screen, and takes the background's colour "
        "out of the subject. Uneven light is followed."
    )
    RETURN_TYPES = ("IMAGE", "MASK", "IMAGE", "MASK")
    RETURN_NAMES = ("foreground", "alpha", "background", "trimap")
    OUTPUT_TOOLTIPS = (
        "The subject's own colours.",
        ALPHA_TIP,
        "The screen in its light.",
        "What was taken as sure.",
    )
    REQUIRED: ClassVar = {
        "image": image_input(),
        "key": line("auto", "auto, or a colour such as #00b140."),
        "solid": switch(True, "The inside of the subject is opaque. Switch it off for glass, veils, smoke."),
    }

    def run(self, image, key, solid):
        tm = frames.library()

        def work(picture, progress):
            return layers(tm.matte_from_key(picture, key.strip() or "auto", solid=solid, progress=progress))

        return frames.each(work, image=frames.images(image, "image"))


class TrimattePlate(Node):
    """A matte from a clean plate."""

    TITLE = "Clean Plate"
    DESCRIPTION = (
        "Mattes a subject from the same shot without it. The plate may be moved by a few pixels and be lit a "
        "little differently."
    )
    RETURN_TYPES = TrimatteKey.RETURN_TYPES
    RETURN_NAMES = TrimatteKey.RETURN_NAMES
    OUTPUT_TOOLTIPS = (
        "The subject's own colours.",
        ALPHA_TIP,
        "The plate as it lies here.",
        "What was taken as sure.",
    )
    REQUIRED: ClassVar = {
        "image": image_input(),
        "plate": image_input("The same shot without the subject: one picture, or one a frame."),
    }

    def run(self, image, plate):
        tm = frames.library()

        def work(shot, empty, progress):
            return layers(tm.matte_from_plate(shot, empty, progress=progress))

        return frames.each(work, image=frames.images(image, "image"), plate=frames.images(plate, "plate"))


class TrimatteComposite(Node):
    """A foreground over a background."""

    TITLE = "Composite"
    DESCRIPTION = (
        "Puts the foreground over a picture or a colour. With neither, the result is a cutout with transparency, "
        "which Save Image writes as PNG."
    )
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("image",)
    OUTPUT_TOOLTIPS = ("The composite, or the cutout.",)
    REQUIRED: ClassVar = {
        "foreground": image_input("The subject's colours, from Foreground Colours, Key or Clean Plate."),
        "alpha": mask_input(ALPHA_TIP),
        "colour": line(TRANSPARENT, "transparent, or a colour such as #00b140 or white."),
    }
    OPTIONAL: ClassVar = {
        "background": image_input("A picture; it is scaled to cover, and cropped at its centre.")
    }

    def run(self, foreground, alpha, colour, background=None):
        tm = frames.library()
        fronts, planes = frames.images(foreground, "foreground"), frames.masks(alpha, "alpha")
        backs = None if background is None else frames.images(background, "background")
        flat = None if backs is not None or colour.strip() in ("", TRANSPARENT) else flat_colour(colour)
        batches = {"alpha": planes}
        if backs is not None:  # its size may be another
            batches["background"] = np.broadcast_to(np.float32(0), (len(backs), *fronts.shape[1:3]))

        def work(index, progress):
            front = np.repeat(frames.frame(fronts, index), 3 // fronts.shape[3], 2)
            plane = frames.frame(planes, index)
            if backs is None and flat is None:
                return (np.dstack([front, plane]),)
            back = flat if backs is None else covering(frames.frame(backs, index), front.shape)
            return (tm.composite(front, plane, back),)

        return frames.collected(frames.batch("foreground", fronts, **batches), work)


def layers(found):
    """Return what a keyed matte holds in the order of the outputs."""
    return found.foreground, found.alpha, found.background, found.trimap / np.float32(255)


def flat_colour(text):
    """Return a colour as numbers of 1."""
    from PIL import ImageColor

    try:
        return np.divide(ImageColor.getcolor(text.strip(), "RGB"), 255).astype(np.float32)
    except ValueError:
        raise ValueError(
            f"colour: expected transparent, a colour such as #00b140, or a name such as white, got {text!r}"
        ) from None


def covering(picture, shape):
    """Scale a picture so that it covers a shape (H, W, 3), and crop it at its centre."""
    from PIL import Image, ImageOps

    if picture.shape == shape:
        return picture
    size = (shape[1], shape[0])
    channels = [Image.fromarray(np.ascontiguousarray(picture[..., c % picture.shape[2]])) for c in range(3)]
    fitted = [np.asarray(ImageOps.fit(channel, size, Image.Resampling.LANCZOS)) for channel in channels]
    return np.clip(np.stack(fitted, axis=2), 0, 1)


NODES = (
    TrimatteTrimap,
    TrimatteMatte,
    TrimatteRefineMask,
    TrimatteForeground,
    TrimatteKey,
    TrimattePlate,
    TrimatteComposite,
)
