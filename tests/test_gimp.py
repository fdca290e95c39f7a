"""The plug-in for GIMP 3, with the command `trimatte` and a stub of GIMP's interface.

Debian 12 has GIMP 2.10, so that the plug-in was not run in GIMP itself. `make check-gimp` takes
GEGL's own buffers and colour conversions in place of the stub's.
"""

import importlib.util
import os
import stat
import sys
from pathlib import Path

import gimp_stub
import numpy as np
import pytest

import trimatte as tm
from trimatte.colour import linear_from_srgb, srgb_from_linear

FILE = Path(__file__).parents[1] / "integrations" / "gimp" / "trimatte_matte" / "trimatte_matte.py"

if not FILE.exists():
    pytest.skip("the plug-in is not beside the tests", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::ImportWarning")  # gi's importer has an old interface
GI = os.environ.get("GI_FOLDER")  # where the system's Python has the package gi
LEFT, TOP = 7, 5  # where the layer lies in the picture


@pytest.fixture(params=["stub", "gegl"] if GI else ["stub"])
def gimp(request, monkeypatch, tmp_path):
    real = request.param == "gegl"
    if real:
        monkeypatch.setattr(sys, "path", [*sys.path, GI])
    return gimp_stub.installed(monkeypatch, tmp_path / "cache", real)


@pytest.fixture
def plug_in(gimp):
    spec = importlib.util.spec_from_file_location("trimatte_matte", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert gimp.main_calls == [module.Matte.__gtype__]
    return module


@pytest.fixture(scope="module")
def scene():
    return tm.datasets.hair(64, 80, seed=4)


def put(gegl, drawable, form, values, dtype):
    top = np.iinfo(dtype).max
    data = np.rint(np.asarray(values) * top).astype(dtype)
    drawable.buffer.set(gegl.Rectangle.new(0, 0, *drawable.size), form, data.tobytes())


def read(gegl, drawable, form, dtype, channels):
    data = drawable.buffer.get(gegl.Rectangle.new(0, 0, *drawable.size), 1.0, form, gegl.AbyssPolicy.NONE)
    pixels = np.frombuffer(bytes(data), dtype).reshape(*drawable.size[::-1], channels)
    return np.squeeze(pixels / np.iinfo(dtype).max)


class Shown:
    """A picture with one layer, in GIMP."""

    def __init__(self, gimp, plug_in, scene):
        self.gimp, self.plug_in, self.gegl = gimp, plug_in, sys.modules["gi.repository.Gegl"]
        height, width = scene.alpha.shape
        self.image = gimp_stub.Image(gimp, width + 20, height + 10)
        self.layer = gimp_stub.Layer(self.image, "photo", width, height, offsets=(LEFT, TOP))
        self.image.layers.append(self.layer)
        rgba = np.dstack([scene.image, np.ones((height, width))])
        put(self.gegl, self.layer, "R'G'B'A u8", rgba, np.uint8)
        self.procedure = plug_in.Matte().do_create_procedure(plug_in.PROCEDURE)

    def select(self, mask):
        whole = np.zeros(self.image.selection.size[::-1])
        whole[TOP : TOP + mask.shape[0], LEFT : LEFT + mask.shape[1]] = mask
        put(self.gegl, self.image.selection, "Y u8", whole, np.uint8)
        self.image.selection.empty = False

    def run(self, drawables=None, **options):
        assert set(options) <= set(self.procedure.arguments)
        command = f'"{sys.executable}" -m trimatte'
        config = gimp_stub.Config(self.procedure.arguments | {"command": command, "learn": False} | options)
        mode = self.gimp.RunMode.NONINTERACTIVE
        drawables = [self.layer] if drawables is None else drawables
        return self.plug_in.Matte().run(self.procedure, mode, self.image, drawables, config, None)

    def made(self, **options):
        status, message = self.run(**options)
        assert status == self.gimp.PDBStatusType.SUCCESS, message
        assert self.image.groups == ["start", "end"]
        assert all(image.deleted for image in self.gimp.loaded)
        assert list(Path(sys.modules["gi.repository.GLib"].get_user_cache_dir()).iterdir()) == []

    def refused(self, **options):
        status, message = self.run(**options)
        assert status == self.gimp.PDBStatusType.EXECUTION_ERROR
        assert self.layer.mask is None or self.layer.mask.updated is None
        assert self.image.groups == []
        return message

    def mask(self, layer=None):
        mask = (layer or self.layer).mask
        assert mask.updated == (0, 0, *mask.size)
        return read(self.gegl, mask, "Y u8", np.uint8, 1)


@pytest.fixture
def shown(gimp, plug_in, scene):
    return Shown(gimp, plug_in, scene)


def eight_bits(values):
    return np.rint(np.asarray(values) * 255).astype(np.uint8)


def test_gimp_finds_the_file():
    """GIMP starts a file that has its folder's name and may be executed."""
    assert FILE.stem == FILE.parent.name
    assert os.name == "nt" or FILE.stat().st_mode & stat.S_IXUSR
    assert FILE.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")


def test_the_procedure_is_declared(shown, plug_in):
    assert plug_in.Matte().do_query_procedures() == [plug_in.PROCEDURE]
    assert shown.procedure.path == "<Image>/Layer/Transparency"
    assert list(shown.procedure.arguments) == ["source", "trimap", "learn", "band", "clean", "command"]
    assert shown.procedure.arguments["command"] == "trimatte"


def test_a_selection_becomes_a_layer_mask(shown, scene):
    rough = scene.alpha > 0.5
    shown.select(rough)
    shown.made()
    want = tm.matte_from_mask(eight_bits(scene.image), eight_bits(rough), learn=False)
    # GIMP's masks hold opacity itself, no display colours.
    assert abs(shown.mask() - want).max() < 2 / 255
    assert abs(shown.mask() - scene.alpha).mean() < 0.8 * abs(rough - scene.alpha).mean()


def test_a_layer_mask_is_refined_and_replaced(shown, scene):
    mask = shown.layer.create_mask(shown.gimp.AddMaskType.WHITE)
    put(shown.gegl, mask, "Y u8", scene.alpha > 0.4, np.uint8)
    shown.layer.add_mask(mask)
    shown.made(drawables=[mask], band=6.0)
    assert shown.layer.mask is not mask
    want = tm.matte_from_mask(eight_bits(scene.image), eight_bits(scene.alpha > 0.4), learn=False, band=6)
    assert abs(shown.mask() - want).max() < 2 / 255


@pytest.mark.parametrize("learn", [False, True])
def test_a_trimap_layer_is_used(shown, scene, learn):
    """Its grey is a display colour; where it is transparent, or ends, it is unknown."""
    trimap = scene.trimap / 255
    known = trimap != 128 / 255
    layer = gimp_stub.Layer(shown.image, "trimap", 60, 64, offsets=(LEFT, TOP))
    painted = np.dstack([trimap] * 3 + [known])[:, :60]
    put(shown.gegl, layer, "R'G'B'A u8", painted, np.uint8)
    shown.made(trimap=layer, learn=learn)
    want = np.asarray(scene.trimap).copy()
    want[:, 60:] = 128
    method = "best" if learn else "closed-form"
    assert abs(shown.mask() - tm.estimate_alpha(eight_bits(scene.image), want, method=method)).max() < 2 / 255
    assert not layer.visible


def test_grey_between_opaque_and_transparent_goes_towards_unknown(shown, plug_in):
    layer = gimp_stub.Layer(shown.image, "trimap", 3, 1)
    put(shown.gegl, layer, "R'G'B'A u8", [[[1, 1, 1, 1], [1, 1, 1, 0.5], [0, 0, 0, 0]]], np.uint8)
    assert list(plug_in.trimap_values(layer, 0, 0, 4, 1)) == pytest.approx([255, 191, 128, 128], abs=1)


def test_a_clean_layer_holds_the_subjects_own_colours(shown, scene):
    shown.select(scene.alpha > 0.5)
    shown.made(clean=True)
    clean, photo = shown.image.layers
    assert (photo.visible, photo.mask, clean.offsets) == (False, None, (LEFT, TOP))
    alpha = tm.matte_from_mask(eight_bits(scene.image), eight_bits(scene.alpha > 0.5), learn=False)
    want = tm.estimate_foreground(eight_bits(scene.image), alpha).foreground
    found = read(shown.gegl, clean, "R'G'B'A u16", np.uint16, 4)
    assert abs(found[..., :3] - want).max() < 2 / 255
    assert found[..., 3].min() == 1
    assert abs(shown.mask(clean) - alpha).max() < 2 / 255


def test_the_bar_moves_while_the_command_runs(shown, plug_in):
    plug_in.PULSE = 0.02
    plug_in.call([sys.executable, "-c", "print(sum(range(10**7)))"])
    assert shown.gimp.pulses > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drawables": []}, "Layers: expected one chosen layer, got 0"),
        ({}, "Guide: expected a selection, a layer mask or a trimap layer, got none"),
        ({"source": "trimap"}, "Trimap layer: expected a layer, got none"),
        ({"source": "selection"}, "Selection: expected a rough selection of the subject, got none"),
    ],
)
def test_what_is_missing_is_said(shown, options, message):
    assert shown.refused(**options).startswith(message)


def test_the_subject_is_no_trimap_of_itself(shown):
    assert "expected another layer than the subject's" in shown.refused(trimap=shown.layer)


def test_without_trimatte_one_sentence_says_what_installs_it(shown, scene):
    shown.select(scene.alpha > 0.5)
    assert shown.refused(command="trimatte-of-another-name") == (
        "trimatte is not installed, or GIMP does not find trimatte-of-another-name: in a checkout of trimatte "
        "'python3 -m pip install .' installs it, and the field Command takes its full path."
    )


def test_the_command_may_be_a_path_with_spaces_or_have_words(plug_in, tmp_path):
    path = tmp_path / "a folder" / ("trimatte.exe" if os.name == "nt" else "trimatte")
    path.parent.mkdir()
    path.write_text("")
    path.chmod(0o755)
    assert plug_in.program(str(path)) == [str(path)]
    assert plug_in.program(f'"{path}" --quiet') == [str(path), "--quiet"]
    with pytest.raises(plug_in.Refused, match="does not find trimatte-of-another-name"):
        plug_in.program("trimatte-of-another-name --quiet")


def test_what_trimatte_says_is_passed_on(shown):
    trimap = gimp_stub.Layer(shown.image, "trimap", *shown.layer.size, offsets=(LEFT, TOP))
    put(shown.gegl, trimap, "R'G'B'A u8", np.ones((64, 80, 4)), np.uint8)
    message = shown.refused(trimap=trimap, command=f'"{sys.executable}" -m trimatte --no-such-option')
    assert "no-such-option" in message


def test_the_stub_converts_as_gegl_does():
    """Display grey of 0.5 is light of 0.214: a mask written as "Y'" would come out wrong."""
    buffer = gimp_stub.Buffer(1, 1)
    buffer.set((0, 0, 1, 1), "Y' u8", bytes([128]))
    assert buffer.get((0, 0, 1, 1), 1.0, "Y u8", gimp_stub.AbyssPolicy.NONE) == bytes([55])
    assert linear_from_srgb(np.float64(0.5)) == pytest.approx(0.214, abs=1e-3)
    assert srgb_from_linear(np.float64(0.214)) == pytest.approx(0.5, abs=1e-3)
