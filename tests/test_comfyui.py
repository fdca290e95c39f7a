"""The nodes for ComfyUI, loaded and called as ComfyUI does.

Their tensors are those of a stub and, where it is installed, of torch: `make check-comfyui` installs it.
"""

import importlib.util
import inspect
import json
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import trimatte as tm

FOLDER = Path(__file__).parents[1] / "integrations" / "comfyui"

if not FOLDER.exists():
    pytest.skip("the nodes are not beside the tests", allow_module_level=True)


class Tensor:
    """What the nodes ask of a tensor of torch."""

    def __init__(self, array):
        self.array = array
        self.shape = array.shape

    def detach(self):
        return self

    def cpu(self):
        return self

    def float(self):
        return Tensor(np.asarray(self.array, np.float32))

    def numpy(self):
        return self.array


@pytest.fixture(params=["stub", "torch"] if importlib.util.find_spec("torch") else ["stub"])
def torch(request, monkeypatch):
    """A module with `from_numpy`, in the place of torch."""
    if request.param == "torch":
        return importlib.import_module("torch")
    stub = types.ModuleType("torch")
    stub.from_numpy = Tensor
    monkeypatch.setitem(sys.modules, "torch", stub)
    return stub


def loaded():
    """The pack as ComfyUI imports a folder of custom_nodes."""
    name = "/custom_nodes/ComfyUI-trimatte"
    spec = importlib.util.spec_from_file_location(name, FOLDER / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


PACK = loaded()
NODES = PACK.NODE_CLASS_MAPPINGS


def run(name, **given):
    """Call a node as ComfyUI does: by the names of its inputs, defaults filled in."""
    node = NODES[name]
    inputs = node.INPUT_TYPES()
    known = inputs["required"] | inputs.get("optional", {})
    values = {key: kind[1]["default"] for key, kind in inputs["required"].items() if "default" in kind[1]}
    assert set(given) <= set(known)
    assert set(inputs["required"]) <= set(values | given)
    made = getattr(node(), node.FUNCTION)(**(values | given))
    assert isinstance(made, tuple)
    assert len(made) == len(node.RETURN_TYPES)
    arrays = [value.detach().cpu().numpy() for value in made]
    for array, kind in zip(arrays, node.RETURN_TYPES, strict=True):
        assert array.ndim == {"IMAGE": 4, "MASK": 3}[kind]
        assert array.dtype == np.float32
        assert array.min() >= 0
        assert array.max() <= 1
    return arrays


def tensors(torch, *arrays):
    return [torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)) for array in arrays]


@pytest.fixture(scope="module")
def clip():
    """Three frames: images, trimaps, alphas."""
    frames = list(tm.datasets.sequence(48, 64, frames=3))
    return [
        np.stack([np.asarray(getattr(f, part), np.float64) for f in frames]) for part in ("image", "alpha")
    ] + [np.stack([f.trimap / 255 for f in frames])]


def test_every_node_is_declared_as_comfyui_wants_it():
    assert sorted(NODES) == sorted(PACK.NODE_DISPLAY_NAME_MAPPINGS)
    assert len(NODES) == 7
    for node in NODES.values():
        inputs = node.INPUT_TYPES()
        known = [*inputs["required"], *inputs.get("optional", {})]
        takes = list(inspect.signature(getattr(node, node.FUNCTION)).parameters)[1:]
        assert takes == known
        assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == len(node.OUTPUT_TOOLTIPS)
        assert node.CATEGORY == "trimatte"
        assert node.DESCRIPTION.endswith(".")
        for kind, options in (inputs["required"] | inputs.get("optional", {})).values():
            assert isinstance(kind, list) or kind in ("IMAGE", "MASK", "INT", "FLOAT", "BOOLEAN", "STRING")
            assert options["tooltip"]


def test_lists_of_methods_are_those_of_the_library():
    from trimatte import foreground, methods

    nodes = sys.modules[f"{PACK.__name__}.nodes"]
    assert sorted(nodes.METHODS) == sorted([*methods.AFFINITIES, methods.AUTO, methods.BEST])
    assert ["none", *methods.PRIORS] == nodes.PRIORS
    assert list(foreground.METHODS) == nodes.COLOURS


def test_loading_imports_neither_torch_nor_trimatte():
    """Where trimatte is missing, workflows still open."""
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('pack', {str(FOLDER / '__init__.py')!r})\n"
        "module = importlib.util.module_from_spec(spec); sys.modules['pack'] = module\n"
        "spec.loader.exec_module(module)\n"
        "assert not {'torch', 'trimatte', 'comfy'} & set(sys.modules)\n"
        "[node.INPUT_TYPES() for node in module.NODE_CLASS_MAPPINGS.values()]\n"
        "assert not {'torch', 'trimatte', 'comfy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_example_workflow_fits_the_nodes():
    """Every node has a value for each widget, and every link joins sockets of its type."""
    (file,) = (FOLDER / "example_workflows").glob("*.json")
    workflow = json.loads(file.read_text(encoding="utf-8"))
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for number, start, output, end, entry, kind in workflow["links"]:
        assert nodes[start]["outputs"][output]["type"] == nodes[end]["inputs"][entry]["type"] == kind
        assert number in nodes[start]["outputs"][output]["links"]
        assert nodes[end]["inputs"][entry]["link"] == number
    ours = [node for node in workflow["nodes"] if node["type"] in NODES]
    assert len(ours) == 3
    for node in ours:
        declared = NODES[node["type"]]
        inputs = declared.INPUT_TYPES()
        sockets = inputs["required"] | inputs.get("optional", {})
        wanted = [(name, kind[0]) for name, kind in sockets.items() if kind[0] in ("IMAGE", "MASK")]
        assert [(entry["name"], entry["type"]) for entry in node["inputs"]] == wanted
        assert tuple(output["type"] for output in node["outputs"]) == declared.RETURN_TYPES
        widgets = [kind for kind in sockets.values() if kind[0] not in ("IMAGE", "MASK")]
        for value, (kind, options) in zip(node["widgets_values"], widgets, strict=True):
            assert value in kind if isinstance(kind, list) else isinstance(value, type(options["default"]))


def test_without_trimatte_one_sentence_says_what_installs_it(torch, clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "trimatte", None)

    def missing(name, *_):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys.modules[f"{PACK.__name__}.frames"].importlib, "import_module", missing)
    (mask,) = tensors(torch, clip[1])
    with pytest.raises(RuntimeError, match=r'^trimatte is not installed .* "\S+" -m pip install \.$'):
        run("TrimatteTrimap", mask=mask)


def test_trimap_of_a_mask(torch, clip):
    _, alphas, _ = clip
    (masks,) = tensors(torch, alphas > 0.5)
    (bands,) = run("TrimatteTrimap", mask=masks, automatic=False, erode=2, dilate=5)
    assert set(np.unique(bands)) == {0, 0.5, 1}
    for band, alpha in zip(bands, alphas, strict=True):
        want = tm.trimap_from_mask(alpha > 0.5, erode=2, dilate=5)
        np.testing.assert_array_equal(band, np.select([want == 0, want == 255], [0, 1], 0.5))
    (automatic,) = run("TrimatteTrimap", mask=masks)
    np.testing.assert_array_equal(automatic[0] == 1, tm.trimap_from_soft_mask(alphas[0] > 0.5) == 255)


def test_mattes_of_a_batch_are_those_of_its_frames(torch, clip):
    images, alphas, trimaps = clip
    image, trimap = tensors(torch, images, trimaps)
    (found,) = run("TrimatteMatte", image=image, trimap=trimap)
    for index in range(3):
        want = tm.estimate_alpha(images[index].astype(np.float32), trimaps[index].astype(np.float32))
        assert abs(found[index] - want).max() < 2e-3
    assert abs(found - alphas).mean() < 0.05
    (with_prior,) = run("TrimatteMatte", image=image, trimap=trimap, method="closed-form", prior="sampling")
    assert (with_prior != found).any()


def test_a_still_clip_flickers_less_when_it_is_held(torch, clip):
    images, _, trimaps = clip
    rng = np.random.default_rng(0)
    still = np.clip(images[:1] + rng.normal(0, 0.02, (4, *images.shape[1:])), 0, 1)
    image, trimap = tensors(torch, still, trimaps[:1])
    (free,), (held,) = (
        run("TrimatteMatte", image=image, trimap=trimap, method="closed-form", temporal=h) for h in (0.0, 1.0)
    )
    assert free.shape == (4, 48, 64)
    assert np.diff(held, axis=0).std() < 0.8 * np.diff(free, axis=0).std()


def test_a_rough_mask_is_refined(torch, clip):
    images, alphas, _ = clip
    rough = alphas > 0.5
    image, mask = tensors(torch, images, rough)
    (found,) = run("TrimatteRefineMask", image=image, mask=mask, learn=False)
    assert abs(found - alphas).mean() < 0.9 * abs(rough - alphas).mean()
    (other,) = run("TrimatteRefineMask", image=image, mask=mask, learn=False, band=8.0)
    assert (other != found).any()


def test_one_mask_goes_with_every_frame(torch, clip):
    images, alphas, _ = clip
    image, mask = tensors(torch, images, alphas[:1])
    foreground, background = run("TrimatteForeground", image=image, alpha=mask)
    assert foreground.shape == background.shape == images.shape
    a = alphas[:1, ..., np.newaxis]
    np.testing.assert_allclose(a * foreground + (1 - a) * background, images, atol=1e-5)


def test_key_and_plate_find_the_subject_again(torch):
    scene = tm.datasets.hair(72, 96, seed=2)
    green = np.broadcast_to(np.array([0.1, 0.7, 0.2]), scene.image.shape)
    a = scene.alpha[..., np.newaxis]
    keyed, plate = tensors(torch, [a * scene.foreground + (1 - a) * green], [green])
    for name, given in (("TrimatteKey", {}), ("TrimattePlate", {"plate": plate})):
        foreground, alpha, background, trimap = run(name, image=keyed, **given)
        assert abs(alpha[0] - scene.alpha).mean() < 0.03
        assert abs(background[0] - green).mean() < 0.01
        assert set(np.unique(trimap)) <= {0, np.float32(128 / 255), 1}
        assert abs(foreground[0] - scene.foreground)[scene.alpha > 0.9].mean() < 0.05
    with pytest.raises(ValueError, match=r"^key: expected a colour such as #00b140, or three numbers, got 'gras'"):
        run("TrimatteKey", image=keyed, key="gras")


def test_composites_and_cutouts(torch, clip, tmp_path):
    images, alphas, _ = clip
    image, alpha, back = tensors(torch, images, alphas, np.random.default_rng(1).random((1, 30, 90, 3)))
    (cutout,) = run("TrimatteComposite", foreground=image, alpha=alpha)
    assert cutout.shape == (3, 48, 64, 4)
    np.testing.assert_array_equal(cutout[..., 3], np.float32(alphas))
    # As Save Image writes a batch.
    Image.fromarray(np.clip(255.0 * cutout[0], 0, 255).astype(np.uint8)).save(tmp_path / "cutout.png")
    with Image.open(tmp_path / "cutout.png") as written:
        assert written.mode == "RGBA"
    (over,) = run("TrimatteComposite", foreground=image, alpha=alpha, colour="white")
    np.testing.assert_allclose(over, alphas[..., None] * images + (1 - alphas[..., None]), atol=1e-5)
    (behind,) = run("TrimatteComposite", foreground=image, alpha=alpha, background=back)
    assert behind.shape == images.shape
    assert abs(behind - images)[alphas > 0.999].max(initial=0) < 2e-3
    with pytest.raises(ValueError, match="colour: expected transparent, a colour such as #00b140"):
        run("TrimatteComposite", foreground=image, alpha=alpha, colour="grren")


def test_grey_transparent_and_overshooting_pictures_are_taken(torch, clip):
    images, alphas, trimaps = clip
    rgba = np.concatenate([images * 1.002, alphas[..., np.newaxis]], axis=3)
    image, grey, trimap = tensors(torch, rgba, images[..., :1], trimaps)
    (colour,) = run("TrimatteMatte", image=image, trimap=trimap)
    (of_grey,) = run("TrimatteMatte", image=grey, trimap=trimap)
    assert colour.shape == of_grey.shape == (3, 48, 64)
    (cutout,) = run("TrimatteComposite", foreground=grey, alpha=trimap)
    np.testing.assert_array_equal(cutout[..., 0], cutout[..., 2])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "TrimatteMatte",
            {"trimap": np.zeros((1, 64, 64))},
            "trimap: expected 64 x 48 pixels.*Load Image gives an",
        ),
        (
            "TrimatteMatte",
            {"trimap": np.zeros((3, 24, 32))},
            "trimap: expected 64 x 48 pixels.*got 32 x 24; scale",
        ),
        ("TrimatteMatte", {"trimap": np.ones((2, 48, 64))}, "trimap: expected 1 or 3 frames as image has, got 2"),
        ("TrimatteMatte", {"image": np.zeros((48, 64, 3))}, r"image: expected an IMAGE \(frames, height, width"),
        (
            "TrimatteRefineMask",
            {"mask": np.zeros((3, 1, 48, 64))},
            r"mask: expected a MASK \(frames, height, width",
        ),
        ("TrimatteMatte", {"trimap": np.full((3, 48, 64), np.nan)}, r"frame 0: .*got nan"),
        ("TrimatteMatte", {"image": np.zeros((0, 48, 64, 3))}, "image: expected at least one frame, got none"),
    ],
)
def test_what_does_not_fit_is_said(torch, clip, name, change, message):
    images, alphas, trimaps = clip
    given = {"image": images, "mask": alphas, "trimap": trimaps} | change
    known = NODES[name].INPUT_TYPES()["required"]
    inputs = {key: tensors(torch, value)[0] for key, value in given.items() if key in known}
    with pytest.raises(ValueError, match=message):
        run(name, **inputs)


def test_the_frame_that_fails_is_named(torch, clip):
    images, alphas, _ = clip
    alphas = alphas.copy()
    alphas[2, 3, 4] = np.nan
    image, mask = tensors(torch, images, alphas)
    with pytest.raises(ValueError, match=r"^frame 2: mask: expected values in \[0, 1\], got nan"):
        run("TrimatteRefineMask", image=image, mask=mask, learn=False)


def test_arrays_are_no_tensors(clip):
    with pytest.raises(TypeError, match="image: expected a tensor, got ndarray"):
        run("TrimatteKey", image=clip[0])


def test_the_bar_moves_and_the_stop_button_stops(torch, clip, monkeypatch):
    class Stopped(Exception):
        pass

    shown, asked = [], []

    class ProgressBar:
        def __init__(self, total):
            self.total = total

        def update_absolute(self, value, total=None):
            assert total == self.total
            shown.append(value / total)

    def refuse():
        asked.append(True)
        if len(asked) > limit[0]:
            raise Stopped

    limit = [10**9]
    utils, management = types.ModuleType("comfy.utils"), types.ModuleType("comfy.model_management")
    utils.ProgressBar, management.throw_exception_if_processing_interrupted = ProgressBar, refuse
    monkeypatch.setitem(sys.modules, "comfy", types.ModuleType("comfy"))
    monkeypatch.setitem(sys.modules, "comfy.utils", utils)
    monkeypatch.setitem(sys.modules, "comfy.model_management", management)
    image, trimap = tensors(torch, clip[0], clip[2])
    run("TrimatteMatte", image=image, trimap=trimap)
    assert list(dict.fromkeys(shown)) == [0, 1 / 3, 2 / 3, 1]
    limit[0] = len(asked) + 1
    with pytest.raises(Stopped):
        run("TrimatteMatte", image=image, trimap=trimap)
