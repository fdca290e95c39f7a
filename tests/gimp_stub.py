"""The part of GIMP 3's interface that the plug-in uses, as modules of `gi.repository`.

Buffers convert between the formats that GIMP has, so that values written in a wrong one come out
wrong. `installed` can take Gegl, GLib and Gio themselves in place of their stubs.
"""

import sys
import types
from enum import Enum

import numpy as np
from PIL import Image as Pillow

from trimatte.colour import linear_from_srgb, srgb_from_linear


class Rectangle(tuple):
    @classmethod
    def new(cls, x, y, width, height):
        return cls((x, y, width, height))


class Buffer:
    """RGBA as linear light, float64."""

    def __init__(self, height, width):
        self.values = np.zeros((height, width, 4))
        self.flushed = True

    @staticmethod
    def parts(form):
        """Channels, whether they are display colours, and the dtype of a name such as "R'G'B'A u16"."""
        letters, kind = form.split()
        return letters.replace("'", ""), "'" in letters, {"u8": np.uint8, "u16": np.uint16}[kind]

    def get(self, rectangle, scale, form, abyss):
        assert scale == 1.0
        assert abyss is AbyssPolicy.NONE
        x, y, width, height = rectangle
        out = np.zeros((height, width, 4))
        rows = np.clip([y, y + height], 0, self.values.shape[0])
        columns = np.clip([x, x + width], 0, self.values.shape[1])
        out[rows[0] - y : rows[1] - y, columns[0] - x : columns[1] - x] = self.values[
            slice(*rows), slice(*columns)
        ]
        letters, display, dtype = self.parts(form)
        weights = {"Y": np.array([0.2126, 0.7152, 0.0722]), "R": [1, 0, 0], "G": [0, 1, 0], "B": [0, 0, 1]}
        planes = []
        for letter in letters:
            plane = out[..., 3] if letter == "A" else out[..., :3] @ np.asarray(weights[letter])
            planes.append(plane if letter == "A" or not display else srgb_from_linear(plane))
        top = np.iinfo(dtype).max
        return np.rint(np.clip(np.stack(planes, 2), 0, 1) * top).astype(dtype).tobytes()

    def set(self, rectangle, form, data):
        x, y, width, height = rectangle
        letters, display, dtype = self.parts(form)
        given = np.frombuffer(data, dtype).reshape(height, width, len(letters)) / np.iinfo(dtype).max
        colours = given[..., :-1] if letters.endswith("A") else given
        colours = linear_from_srgb(colours) if display else colours
        into = self.values[y : y + height, x : x + width]
        into[..., :3] = colours
        into[..., 3] = given[..., -1] if letters.endswith("A") else 1
        self.flushed = False

    def flush(self):
        self.flushed = True


class AbyssPolicy(Enum):
    NONE = 0


class File:
    def __init__(self, path):
        self.path = path

    @classmethod
    def new_for_path(cls, path):
        return cls(path)

    def get_path(self):
        return self.path


class Drawable:
    FORM = "R'G'B'A u16"

    def __init__(self, image, name, width, height, offsets=(0, 0)):
        self.image, self.name, self.size, self.offsets = image, name, (width, height), offsets
        self.buffer = image.gimp.make_buffer(self.FORM, height, width)
        self.visible, self.opacity, self.updated = True, 100.0, None
        image.gimp.count += 1
        self.id = image.gimp.count

    def get_buffer(self):
        return self.buffer

    def get_width(self):
        return self.size[0]

    def get_height(self):
        return self.size[1]

    def get_offsets(self):
        return True, *self.offsets

    def get_name(self):
        return self.name

    def get_id(self):
        return self.id

    def is_layer(self):
        return isinstance(self, Layer)

    def is_layer_mask(self):
        return isinstance(self, LayerMask)

    def set_visible(self, visible):
        self.visible = visible

    def update(self, *rectangle):
        self.updated = rectangle


class Layer(Drawable):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.mask = None

    @classmethod
    def new(cls, image, name, width, height, kind, opacity, mode):
        layer = cls(image, name, width, height)
        layer.kind, layer.opacity, layer.mode = kind, opacity, mode
        return layer

    @staticmethod
    def from_mask(mask):
        return mask.layer

    def get_mask(self):
        return self.mask

    def create_mask(self, kind):
        assert kind is Gimp.AddMaskType.WHITE
        mask = LayerMask(self.image, f"{self.name} mask", *self.size)
        mask.layer = self
        return mask

    def add_mask(self, mask):
        assert self.mask is None
        self.mask = mask

    def remove_mask(self, mode):
        assert mode is Gimp.MaskApplyMode.DISCARD
        self.mask = None

    def get_opacity(self):
        return self.opacity

    def get_mode(self):
        return "normal"

    def get_parent(self):
        return None

    def set_offsets(self, x, y):
        self.offsets = (x, y)


class LayerMask(Drawable):
    FORM = "Y u8"


class Selection(Drawable):
    FORM = "Y u8"

    def __init__(self, image, width, height):
        super().__init__(image, "Selection Mask", width, height)
        self.empty = True

    @staticmethod
    def is_empty(image):
        return image.selection.empty


class Image:
    def __init__(self, gimp, width, height):
        self.gimp, self.layers, self.groups, self.deleted = gimp, [], [], False
        self.selection = Selection(self, width, height)

    def get_selection(self):
        return self.selection

    def get_base_type(self):
        return Gimp.ImageBaseType.RGB

    def get_layers(self):
        return self.layers

    def get_item_position(self, layer):
        return self.layers.index(layer)

    def insert_layer(self, layer, parent, position):
        self.layers.insert(position, layer)

    def undo_group_start(self):
        self.groups.append("start")

    def undo_group_end(self):
        self.groups.append("end")

    def delete(self):
        self.deleted = True


class PlugIn:
    __gtype__ = "PlugIn"


class Choice:
    def __init__(self):
        self.words = []

    @classmethod
    def new(cls):
        return cls()

    def add(self, word, number, label, text):
        self.words.append(word)


class Procedure:
    """What the plug-in declares, and what it answers."""

    def __init__(self, name, run):
        self.name, self.function, self.arguments = name, run, {}

    @classmethod
    def new(cls, plug_in, name, kind, run, data):
        return cls(name, run)

    def set_image_types(self, types):
        self.types = types

    def set_menu_label(self, label):
        self.label = label

    def add_menu_path(self, path):
        self.path = path

    def set_sensitivity_mask(self, mask):
        pass

    def set_documentation(self, *texts):
        assert all(texts)

    def set_attribution(self, *texts):
        assert all(texts)

    def add_choice_argument(self, name, label, text, choice, default, flags):
        assert default in choice.words
        self.arguments[name] = default

    def add_layer_argument(self, name, label, text, none_ok, flags):
        assert none_ok
        self.arguments[name] = None

    def add_boolean_argument(self, name, label, text, default, flags):
        self.arguments[name] = default

    def add_double_argument(self, name, label, text, least, most, default, flags):
        assert least <= default <= most
        self.arguments[name] = default

    def add_string_argument(self, name, label, text, default, flags):
        self.arguments[name] = default

    def new_return_values(self, status, error):
        return status, error.message


class Config:
    def __init__(self, values):
        self.values = values

    def get_property(self, name):
        return self.values[name]


class Gimp(types.ModuleType):
    """The module Gimp."""

    ImageBaseType = Enum("ImageBaseType", ["RGB", "GRAY"])
    ImageType = Enum("ImageType", ["RGBA_IMAGE", "GRAYA_IMAGE"])
    AddMaskType = Enum("AddMaskType", ["WHITE"])
    MaskApplyMode = Enum("MaskApplyMode", ["DISCARD"])
    RunMode = Enum("RunMode", ["INTERACTIVE", "NONINTERACTIVE"])
    PDBProcType = Enum("PDBProcType", ["PLUGIN"])
    PDBStatusType = Enum("PDBStatusType", ["SUCCESS", "EXECUTION_ERROR", "CANCEL"])
    ProcedureSensitivityMask = Enum("ProcedureSensitivityMask", ["DRAWABLE"])
    PlugIn, Layer, Selection, Choice, ImageProcedure, Image = PlugIn, Layer, Selection, Choice, Procedure, Image

    def __init__(self, make_buffer):
        super().__init__("gi.repository.Gimp")
        self.make_buffer, self.count, self.loaded, self.pulses, self.main_calls = make_buffer, 0, [], 0, []

    def main(self, kind, arguments):
        self.main_calls.append(kind)

    def progress_init(self, text):
        self.progress = text

    def progress_pulse(self):
        self.pulses += 1

    def displays_flush(self):
        self.flushed = True

    def file_load(self, mode, file):
        with Pillow.open(file.get_path()) as found:
            assert found.mode == "RGBA"
        from trimatte.io import read_picture

        pixels = read_picture(file.get_path()).pixels
        height, width = pixels.shape[:2]
        image = Image(self, width, height)
        image.layers.append(Layer(image, "out", width, height))
        rectangle = sys.modules["gi.repository.Gegl"].Rectangle.new(0, 0, width, height)
        image.layers[0].buffer.set(rectangle, "R'G'B'A u16", np.ascontiguousarray(pixels).tobytes())
        self.loaded.append(image)
        return image


class Error(Exception):
    def __init__(self, message=""):
        super().__init__(message)
        self.message = message


def stub(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    return module


def installed(monkeypatch, cache, real=False):
    """Put the modules into `sys.modules`, and return Gimp.

    `cache` is the user's folder for temporary files; `real` takes Gegl and GLib as they are installed.
    """
    if real:
        import gi
        from gi.repository import GLib

        gi.require_version("Gegl", "0.4")
        from gi.repository import Gegl

        Gegl.init(None)
        gimp = Gimp(lambda form, height, width: Gegl.Buffer.new(form, 0, 0, width, height))
        require = gi.require_version
        monkeypatch.setattr(gi, "require_version", lambda name, version: name == "Gimp" or require(name, version))
        monkeypatch.setattr(gi.repository, "Gimp", gimp, raising=False)
        monkeypatch.setattr(GLib, "get_user_cache_dir", lambda: str(cache))
        monkeypatch.setitem(sys.modules, "gi.repository.Gimp", gimp)
        return gimp
    gimp = Gimp(lambda form, height, width: Buffer(height, width))
    gegl = stub("gi.repository.Gegl", Rectangle=Rectangle, AbyssPolicy=AbyssPolicy, init=lambda arguments: None)
    modules = {
        "Gimp": gimp,
        "Gegl": gegl,
        "GLib": stub("GLib", Error=Error, get_user_cache_dir=lambda: str(cache)),
        "Gio": stub("Gio", File=File),
        "GObject": stub("GObject", ParamFlags=stub("ParamFlags", READWRITE=3)),
    }
    repository = stub("gi.repository", **modules)
    gi = stub("gi", repository=repository, require_version=lambda name, version: None)
    monkeypatch.setitem(sys.modules, "gi", gi)
    monkeypatch.setitem(sys.modules, "gi.repository", repository)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, f"gi.repository.{name}", module)
    return gimp
