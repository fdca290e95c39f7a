#!/usr/bin/env python3
"""A layer mask from a selection, a rough mask or a trimap: a plug-in for GIMP 3.

It writes pictures to a temporary folder, calls the command `trimatte`, and reads its cutout.
"""

import array
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio, GLib, GObject  # noqa: E402 (the versions come first)

PROCEDURE = "trimatte-matte"
SOURCES = (
    ("auto", "What there is", "The trimap layer, if one is chosen, else the selection, else the layer's mask."),
    ("selection", "The selection", "A rough selection of the subject."),
    ("mask", "The layer's mask", "A rough mask of the subject; it is replaced."),
    ("trimap", "A trimap layer", "White is the subject, black the background, grey or transparent is unknown."),
)
HELP = (
    "Finds the opacity of every pixel along the edge of a rough selection, layer mask or trimap by the command "
    "trimatte, and makes it the layer's mask."
)
UNKNOWN = 128
PULSE = 0.2  # seconds between two signs of life in the bar of progress


class Refused(Exception):
    """The matte cannot be made; the message says why."""


def guide_of(image, layer, source, trimap):
    """Return which trimatte command takes the guide, and the guide's grey values at the layer's place.

    Parameters
    ----------
    image : Gimp.Image
        The picture.
    layer : Gimp.Layer
        The layer whose mask is wanted.
    source : str
        The first word of an entry of SOURCES.
    trimap : Gimp.Layer or None
        The layer that is chosen as trimap.

    Returns
    -------
    (str, bytes)
        "refine" or "cutout", and one byte a pixel.
    """
    if source == "trimap" and trimap is None:
        raise Refused("Trimap layer: expected a layer, got none; choose one, or another guide.")
    if trimap is not None and source in ("auto", "trimap"):
        return "cutout", trimap_values(trimap, *place_in(layer, trimap))
    if source == "selection" or (source == "auto" and not Gimp.Selection.is_empty(image)):
        if Gimp.Selection.is_empty(image):
            raise Refused("Selection: expected a rough selection of the subject, got none; select it first.")
        selection = image.get_selection()
        return "refine", pixels_of(selection, "Y u8", *place_in(layer, selection))
    mask = layer.get_mask()
    if mask is None:
        raise Refused(
            "Guide: expected a selection, a layer mask or a trimap layer, got none; select the subject roughly."
        )
    return "refine", pixels_of(mask, "Y u8", 0, 0, layer.get_width(), layer.get_height())


def place_in(layer, other):
    """Return the rectangle of a layer in the coordinates of another drawable."""
    _, x, y = layer.get_offsets()
    _, left, top = other.get_offsets()
    return x - left, y - top, layer.get_width(), layer.get_height()


def pixels_of(drawable, form, x, y, width, height):
    """Return the bytes of a rectangle; what is outside the drawable is 0.

    A selection's and a mask's values are parts of light that passes: their `form` is "Y". A layer's
    are display colours: "Y'" or "R'G'B'".
    """
    return bytes(
        drawable.get_buffer().get(Gegl.Rectangle.new(x, y, width, height), 1.0, form, Gegl.AbyssPolicy.NONE)
    )


def trimap_values(layer, x, y, width, height):
    """Return a trimap layer's grey; where it is transparent, it is unknown."""
    both = pixels_of(layer, "Y'A u8", x, y, width, height)
    grey, opacity = both[0::2], both[1::2]
    rows = []
    for start in range(0, len(grey), width):
        row, cover = grey[start : start + width], opacity[start : start + width]
        if cover.count(255) == width:
            rows.append(row)
        elif cover.count(0) == width:
            rows.append(bytes([UNKNOWN]) * width)
        else:
            mixed = ((v * a + UNKNOWN * (255 - a) + 127) // 255 for v, a in zip(row, cover, strict=True))
            rows.append(bytes(mixed))
    return b"".join(rows)


def write_png(path, width, height, channels, pixels):
    """Write 8-bit grey (1 channel) or RGB (3 channels) as a PNG file."""
    stride = width * channels
    rows = b"".join(b"\0" + pixels[start : start + stride] for start in range(0, height * stride, stride))
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")):
            check = zlib.crc32(kind + data)
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check))


def program(command):
    """Return the words that start trimatte.

    A name that GIMP's PATH lacks is sought where pip puts commands for one user.
    """
    words = [command] if os.path.exists(command) else shlex.split(command, posix=os.name != "nt")
    words = [word.strip('"') for word in words] or ["trimatte"]  # Windows' quotes stay in the words
    found = shutil.which(words[0]) or shutil.which(words[0], path=os.path.expanduser("~/.local/bin"))
    if found is None:
        raise Refused(
            f"trimatte is not installed, or GIMP does not find {words[0]}: in a checkout of trimatte "
            "'python3 -m pip install .' installs it, and the field Command takes its full path."
        )
    return [found, *words[1:]]


def call(words):
    """Run a command to its end; the bar of progress moves meanwhile."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=environment, text=True, creationflags=flags, **pipes) as process:
        try:
            while True:
                try:
                    said, complaint = process.communicate(timeout=PULSE)
                    break
                except subprocess.TimeoutExpired:
                    Gimp.progress_pulse()
        finally:
            process.kill()
    if process.returncode:
        lines = (complaint or said).strip().splitlines()
        raise Refused(lines[-1] if lines else f"trimatte ended with code {process.returncode}.")


def cutout_of(layer, kind, guide, learn, band, command):
    """Return the cutout that trimatte makes of a layer: red, green, blue and alpha in 16 bits."""
    width, height = layer.get_width(), layer.get_height()
    words = program(command)
    # GIMP in a sandbox (Flatpak) shares this folder with what runs outside, but not /tmp.
    os.makedirs(GLib.get_user_cache_dir(), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trimatte-", dir=GLib.get_user_cache_dir()) as folder:
        picture, grey, out = (os.path.join(folder, name) for name in ("image.png", "guide.png", "out.png"))
        write_png(picture, width, height, 3, pixels_of(layer, "R'G'B' u8", 0, 0, width, height))
        write_png(grey, width, height, 1, guide)
        if kind == "cutout":
            options = ["--method", "best" if learn else "closed-form"]
        else:
            options = ["--learn" if learn else "--no-learn", *(["--band", f"{band:g}"] if band else [])]
        call([*words, kind, picture, grey, "-o", out, "--bits", "16", *options])
        loaded = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(out))
        try:
            values = pixels_of(loaded.get_layers()[0], "R'G'B'A u16", 0, 0, width, height)
        finally:
            loaded.delete()
    return array.array("H", values)


def set_pixels(drawable, form, values):
    """Write all pixels of a drawable."""
    width, height = drawable.get_width(), drawable.get_height()
    buffer = drawable.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), form, values.tobytes())
    buffer.flush()
    drawable.update(0, 0, width, height)


def add_mask(layer, alpha):
    """Give a layer a mask of these 16-bit values, in place of the one that it may have."""
    if layer.get_mask() is not None:
        layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    set_pixels(mask, "Y u16", alpha)


def add_clean_layer(image, layer, cutout):
    """Add a layer above with the subject's own colours, and return it; the given one is hidden."""
    colour = image.get_base_type() == Gimp.ImageBaseType.RGB
    kind = Gimp.ImageType.RGBA_IMAGE if colour else Gimp.ImageType.GRAYA_IMAGE
    size = (layer.get_width(), layer.get_height())
    clean = Gimp.Layer.new(image, f"{layer.get_name()} cutout", *size, kind, layer.get_opacity(), layer.get_mode())
    image.insert_layer(clean, layer.get_parent(), image.get_item_position(layer))
    _, x, y = layer.get_offsets()
    clean.set_offsets(x, y)
    opaque = array.array("H", cutout)
    opaque[3::4] = array.array("H", [65535]) * (len(opaque) // 4)
    set_pixels(clean, "R'G'B'A u16", opaque)
    layer.set_visible(False)
    return clean


def matte(image, drawables, config):
    """Make the matte of the chosen layer."""
    if len(drawables) != 1:
        raise Refused(f"Layers: expected one chosen layer, got {len(drawables)}; choose the subject's.")
    layer = drawables[0]
    if layer.is_layer_mask():
        layer = Gimp.Layer.from_mask(layer)
    if not layer.is_layer():
        raise Refused(f"Layers: expected a layer, got {layer.get_name()}; choose the subject's layer.")
    options = {
        name: config.get_property(name) for name in ("source", "trimap", "learn", "band", "clean", "command")
    }
    if options["trimap"] is not None and options["trimap"].get_id() == layer.get_id():
        raise Refused(
            "Trimap layer: expected another layer than the subject's, got the same; choose the subject's."
        )
    kind, guide = guide_of(image, layer, options["source"], options["trimap"])
    Gimp.progress_init("Matting")
    cutout = cutout_of(layer, kind, guide, options["learn"], options["band"], options["command"])
    image.undo_group_start()
    try:
        wanted = add_clean_layer(image, layer, cutout) if options["clean"] else layer
        add_mask(wanted, cutout[3::4])
        if options["trimap"] is not None:
            options["trimap"].set_visible(False)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()


def confirmed(procedure, config):
    """Show the dialog, and return whether its OK was pressed."""
    gi.require_version("GimpUi", "3.0")
    from gi.repository import GimpUi

    GimpUi.init(PROCEDURE)
    dialog = GimpUi.ProcedureDialog(procedure=procedure, config=config)
    dialog.fill(None)
    pressed = dialog.run()
    dialog.destroy()
    return pressed


class Matte(Gimp.PlugIn):
    """The plug-in, as GIMP asks for it."""

    def do_set_i18n(self, name):
        """Say that there are no translations."""
        return False

    def do_query_procedures(self):
        """Name the procedure."""
        return [PROCEDURE]

    def do_create_procedure(self, name):
        """Describe the procedure, its place in the menu and its options."""
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
        procedure.set_menu_label("_Matte (trimatte)...")
        procedure.add_menu_path("<Image>/Layer/Transparency")
        procedure.set_documentation("A layer mask with soft edges and single hairs", HELP, name)
        procedure.set_attribution("The trimatte developers", "The trimatte developers, MIT licence", "2026")
        flags = GObject.ParamFlags.READWRITE
        choice = Gimp.Choice.new()
        for number, (word, label, text) in enumerate(SOURCES):
            choice.add(word, number, label, text)
        procedure.add_choice_argument("source", "_Guide", "What says where the subject is", choice, "auto", flags)
        text = "White, black and, where it is unknown, grey or transparent"
        procedure.add_layer_argument("trimap", "_Trimap layer", text, True, flags)
        text = "Learn the picture's colours: half a second more, fewer errors"
        procedure.add_boolean_argument("learn", "_Learn colours", text, True, flags)
        text = "How far from its edge a selection or mask may be wrong, in pixels; 0 finds it"
        procedure.add_double_argument("band", "_Band", text, 0, 4096, 0, flags)
        text = "Add a layer whose edges are free from the old background's colour"
        procedure.add_boolean_argument("clean", "New layer with _clean colours", text, False, flags)
        text = "The command trimatte, or its full path"
        procedure.add_string_argument("command", "C_ommand", text, "trimatte", flags)
        return procedure

    def run(self, procedure, mode, image, drawables, config, data):
        """Run for GIMP, and report how it went."""
        if mode == Gimp.RunMode.INTERACTIVE and not confirmed(procedure, config):
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
        Gegl.init(None)
        try:
            matte(image, drawables, config)
        except Refused as refusal:
            return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(refusal)))
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


Gimp.main(Matte.__gtype__, sys.argv)
