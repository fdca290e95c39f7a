"""Tensors on the CPU are taken as arrays, others are refused with the call that helps.

Stubs stand for tensors; `make check-comfyui` installs torch, whose own are then taken, too.
"""

import importlib.util

import numpy as np
import pytest

import trimatte as tm


class Tensor:
    """A tensor that refuses to be an array unless it is in the computer's memory, as torch's are."""

    def __init__(self, array, device="cpu", requires_grad=False, dtype="torch.float32"):
        self.array, self.device, self.requires_grad, self.dtype = array, device, requires_grad, dtype
        self.shape = array.shape

    def __array__(self, dtype=None):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if self.device != "cpu":
            raise TypeError(f"can't convert {self.device} device type tensor to numpy.")
        if "bfloat16" in self.dtype:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array if dtype is None else self.array.astype(dtype)

    def permute(self, *axes):
        return Tensor(self.array.transpose(axes))

    def cpu(self):
        return Tensor(self.array)


class Pack:
    """An array that gives its memory away by DLPack alone."""

    def __init__(self, array, refusal=None):
        self.array, self.refusal, self.shape, self.ndim = array, refusal, array.shape, array.ndim

    def __dlpack__(self, **options):
        if self.refusal is not None:
            raise self.refusal
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnCard(Tensor):
    """An array of CuPy: it has `get`, and no `cpu`."""

    @property
    def cpu(self):
        raise AttributeError("cpu")

    def get(self):
        return self.array


def of_torch(array):
    return importlib.import_module("torch").from_numpy(np.array(array))


TORCH = {"torch": of_torch} if importlib.util.find_spec("torch") else {}


def kinds(**ours):
    """A parameter `kind` for each of these and, where torch is installed, for its tensors."""
    found = ours | TORCH
    return pytest.mark.parametrize("kind", found.values(), ids=found)


@pytest.fixture(scope="module")
def scene():
    scene = tm.datasets.hair(40, 56, seed=1)
    return scene.image.astype(np.float32), (scene.trimap / 255).astype(np.float32)


@kinds(array=Tensor, dlpack=Pack)
def test_tensors_in_memory_are_arrays(scene, kind):
    image, trimap = scene
    want = tm.estimate_alpha(image, trimap)
    np.testing.assert_array_equal(tm.estimate_alpha(kind(image), kind(trimap)), want)
    layers = tm.estimate_foreground(kind(image), kind(want))
    np.testing.assert_array_equal(layers.foreground, tm.estimate_foreground(image, want).foreground)
    np.testing.assert_array_equal(
        tm.matte_from_mask(kind(image), kind(want), learn=False), tm.matte_from_mask(image, want, learn=False)
    )
    np.testing.assert_array_equal(
        tm.composite(kind(image), kind(want), kind(image)), tm.composite(image, want, image)
    )
    key = tm.composite(image, want, (0.0, 0.7, 0.1))
    np.testing.assert_array_equal(tm.matte_from_key(kind(key)).alpha, tm.matte_from_key(key).alpha)


def test_masks_of_bool_are_taken(scene):
    mask = scene[1] > 0.5
    want = tm.trimap_from_mask(mask, erode=2, dilate=2)
    np.testing.assert_array_equal(tm.trimap_from_mask(Tensor(mask), erode=2, dilate=2), want)


def test_memory_is_not_copied_before_the_checks(scene):
    from trimatte import _check

    image = scene[0]
    for value in (Tensor(image), Pack(image)):
        assert np.shares_memory(_check.native(value, "image"), image)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"device": "cuda:0"}, Tensor, r"got a Tensor on cuda:0; pass image\.cpu\(\)$"),
        (
            {"device": "cuda:0", "requires_grad": True},
            Tensor,
            r"got a Tensor on cuda:0; pass image\.detach\(\)\.cpu\(\)$",
        ),
        ({"requires_grad": True}, Tensor, r"got a Tensor on cpu; pass image\.detach\(\)$"),
        ({"dtype": "torch.bfloat16"}, Tensor, r"got a Tensor on cpu; pass image\.float\(\)$"),
        ({"device": "<CUDA Device 0>"}, OnCard, r"got a OnCard on <CUDA Device 0>; pass image\.get\(\)$"),
        ({"refusal": BufferError("it is elsewhere")}, Pack, r"got a Pack \(it is elsewhere\)$"),
    ],
)
def test_tensors_elsewhere_are_refused_with_the_call_that_helps(scene, options, kind, message):
    image, trimap = scene
    value = kind(image, **options)
    with pytest.raises(TypeError, match=r"^image: expected an array that NumPy can read, " + message):
        tm.estimate_alpha(value, trimap)


@pytest.mark.skipif(not TORCH, reason="torch is not installed; make check-comfyui installs it")
def test_torchs_own_refusals_are_translated(scene):
    image, trimap = scene
    tensor = of_torch(image)
    with pytest.raises(TypeError, match=r"got a Tensor on cpu; pass image\.detach\(\)$"):
        tm.estimate_alpha(tensor.clone().requires_grad_(), trimap)
    with pytest.raises(TypeError, match=r"got a Tensor on cpu; pass image\.float\(\)$"):
        tm.estimate_alpha(tensor.bfloat16(), trimap)
    with pytest.raises(TypeError, match=r"got a Tensor on meta; pass image\.cpu\(\)$"):
        tm.estimate_alpha(tensor.to("meta"), trimap)


def turned(image):
    """The layout (C, H, W) of an image (H, W, C)."""
    return np.ascontiguousarray(image.transpose(2, 0, 1))


@kinds(stub=Tensor)
def test_tensors_may_have_the_channels_first(scene, kind):
    """A picture (C, H, W) and a plane (1, H, W); what comes back is (H, W, C)."""
    image, trimap = scene
    first, plane = kind(turned(image)), kind(trimap[np.newaxis])
    want = tm.estimate_alpha(image, trimap)
    np.testing.assert_array_equal(tm.estimate_alpha(first, plane), want)
    np.testing.assert_array_equal(tm.estimate_alpha(kind(turned(image[..., :1])), plane).shape, trimap.shape)
    alpha = kind(want[np.newaxis])
    layers = tm.estimate_foreground(first, alpha)
    np.testing.assert_array_equal(layers.foreground, tm.estimate_foreground(image, want).foreground)
    back = image[::-1]
    np.testing.assert_array_equal(
        tm.composite(first, alpha, kind(turned(back))), tm.composite(image, want, back.copy())
    )
    np.testing.assert_array_equal(tm.cutout(first, plane), tm.cutout(image, trimap))
    mask = trimap > 0.5
    np.testing.assert_array_equal(
        tm.trimap_from_mask(kind(mask[np.newaxis]), erode=2, dilate=2),
        tm.trimap_from_mask(mask, erode=2, dilate=2),
    )
    np.testing.assert_array_equal(
        tm.matte_from_mask(first, kind(want[np.newaxis]), learn=False),
        tm.matte_from_mask(image, want, learn=False),
    )
    painted = image.copy()
    painted[:8], painted[-8:] = 1, 0
    np.testing.assert_array_equal(
        tm.cutout(first, scribbles=kind(turned(painted))), tm.cutout(image, scribbles=painted)
    )
    samples = tm.priors.SharedSampling().samples(first, plane)
    np.testing.assert_array_equal(samples.foreground, tm.priors.SharedSampling().samples(image, trimap).foreground)
    assert tm.metrics.sad(alpha, want, plane) == 0


@kinds(stub=Tensor)
def test_planes_of_one_column_are_not_mistaken_for_channels(scene, kind):
    """(3, H, W) and (H, W, 3) are told apart by the last axis: a picture of 3 rows stays one."""
    image, trimap = scene
    rows = kind(np.ascontiguousarray(image[20:23]))
    assert tm.estimate_alpha(rows, np.ascontiguousarray(trimap[20:23])).shape == (3, 56)


@kinds(numpy=np.array, stub=Tensor)
def test_batches_are_refused_with_the_call_that_helps(scene, kind):
    image, trimap = scene
    turn = "transpose" if kind is np.array else "permute"
    with pytest.raises(ValueError, match=rf"batch of one picture: pass image\[0\]\.{turn}\(1, 2, 0\)"):
        tm.estimate_alpha(kind(turned(image)[np.newaxis]), trimap)


def test_arrays_with_channels_first_are_refused_with_the_call_that_helps(scene):
    image, trimap = scene
    with pytest.raises(ValueError, match=r"the channels come first: pass image\.transpose\(1, 2, 0\)"):
        tm.estimate_alpha(turned(image), trimap)


def test_masks_with_axes_of_one_are_refused_with_the_call_that_helps(scene):
    image, trimap = scene
    with pytest.raises(
        ValueError, match=r"^trimap: expected shape \(H, W\), got \(1, 40, 56\); pass trimap\[0\]$"
    ):
        tm.estimate_alpha(image, trimap[np.newaxis])
    with pytest.raises(ValueError, match=r"^alpha: expected shape \(H, W\), .*; pass alpha\[0, 0\]$"):
        tm.estimate_foreground(image, trimap[np.newaxis, np.newaxis])
    np.testing.assert_array_equal(
        tm.estimate_alpha(image, trimap[..., np.newaxis]), tm.estimate_alpha(image, trimap)
    )
