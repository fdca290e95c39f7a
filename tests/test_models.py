"""Masks by networks: files of ONNX that the tests write, callables, sessions like rembg's."""

import sys

import numpy as np
import onnx_file
import pytest
from PIL import Image

import trimatte as tm
from trimatte.cli import run
from trimatte.errors import ModelError, TrimatteWarning
from trimatte.models import PRESETS, Preset, load

pytest.importorskip("onnxruntime", reason="ONNX Runtime has no wheel for this Python")

PLAIN = Preset(16, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""The network gets the picture itself, so that its answer is the mean of the channels."""


@pytest.fixture(scope="module")
def scene():
    return tm.datasets.hair(64, 96)


@pytest.fixture(scope="module")
def disc():
    """A bright disc on black: its brightness is a good mask."""
    y, x = np.mgrid[:64, :64]
    image = np.full((64, 64, 3), 10, np.uint8)
    image[np.hypot(y - 32, x - 30) < 16] = 250, 240, 230
    return image


@pytest.fixture
def network(tmp_path):
    return onnx_file.mean_of_channels(tmp_path / "mean.onnx")


@pytest.fixture(autouse=True)
def no_downloads(tmp_path, monkeypatch):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net"))


def expected(disc, size=16):
    """The mean of the channels at the network's size, enlarged."""
    small = np.asarray(Image.fromarray(disc).resize((size, size), Image.Resampling.LANCZOS), np.float32)
    large = Image.fromarray(small.mean(axis=2) / 255).resize((64, 64), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large), 0, 1)


def test_a_file_is_given_the_picture_and_its_answer_becomes_the_mask(disc, network):
    mask = tm.mask_from_model(disc, network, preset=PLAIN)
    assert mask.dtype == np.float32
    np.testing.assert_allclose(mask, expected(disc), atol=1e-6)
    once = load(network, preset=PLAIN)
    np.testing.assert_array_equal(tm.mask_from_model(disc, once), mask)
    np.testing.assert_array_equal(tm.mask_from_model(disc / 255, once), mask)
    grey = np.ascontiguousarray(disc[..., 0])
    np.testing.assert_array_equal(tm.mask_from_model(grey, once), tm.mask_from_model(np.dstack([grey] * 3), once))


def test_mean_deviation_brightest_and_stretch_are_the_presets(disc, tmp_path):
    asked = Preset(16, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7), from_brightest=True)
    path = onnx_file.mean_of_channels(tmp_path / "n.onnx")
    small = np.asarray(Image.fromarray(disc).resize((16, 16), Image.Resampling.LANCZOS), np.float64)
    answer = ((small / small.max() - asked.mean) / asked.deviation).mean(axis=2)
    assert answer.min() < -0.1
    logits = load(path, preset=asked)(disc)
    np.testing.assert_allclose(logits, 1 / (1 + np.exp(-answer)), atol=1e-5)
    stretched = load(path, preset=Preset(16, asked.mean, asked.deviation, True, True))(disc)
    assert (stretched.min(), stretched.max()) == (0, 1)
    dark = load(path, preset=Preset(16, (0.0,) * 3, (4.0,) * 3, stretched=True))(disc)
    assert dark.max() < 0.25  # nothing is sure, so that noise does not become a subject


def test_a_network_of_any_size_keeps_the_aspect(scene, tmp_path):
    path = onnx_file.mean_of_channels(tmp_path / "modnet_small.onnx", ("height", "width"))
    found = load(path)
    assert found.preset == PRESETS["modnet"]
    assert found(np.zeros((64, 96, 3), np.uint8)).shape == (512, 768)
    assert load(path, preset=PLAIN)(np.zeros((64, 96, 3), np.uint8)).shape == (16, 16)


@pytest.mark.parametrize(
    ("name", "size", "family", "guessed"),
    [
        ("u2netp", 8, "u2net", False),
        ("silueta", 8, "u2net", False),
        ("isnet-general-use", 8, "isnet", False),
        ("isnet-anime", 8, "isnet-anime", False),
        ("BiRefNet-general-epoch_244", 8, "birefnet", False),
        ("modnet_photographic_portrait_matting", 8, "modnet", False),
        ("RMBG_1.4", 8, "rmbg-1.4", False),
        ("bria-rmbg", 8, "rmbg-2.0", False),
        ("model", 320, "u2net", True),
        ("model", 1024, "birefnet", True),
    ],
)
def test_the_family_follows_from_name_or_size(tmp_path, recwarn, name, size, family, guessed):
    path = onnx_file.mean_of_channels(tmp_path / f"{name}.onnx", (size, size))
    assert load(path).preset == PRESETS[family]
    said = [str(warning.message) for warning in recwarn]
    assert len(said) == guessed
    assert not guessed or f"pictures of {size} pixels and is taken for one of the family {family}" in said[0]
    assert load(path, preset="modnet").preset == PRESETS["modnet"]
    assert len(recwarn) == guessed


def test_rembgs_folder_is_searched_by_name(disc, tmp_path):
    with pytest.raises(ModelError, match=r"no network is in .*u2net, .*get https://.*isnet.* licence Apache 2.0"):
        tm.mask_from_model(disc)
    with pytest.raises(ModelError, match=r"^u2netp: this network is not in .*/u2netp.onnx \(5 MB, licence Apache"):
        tm.mask_from_model(disc, "u2netp")
    with pytest.raises(ModelError, match=r"^u2nett: no file, .*did you mean 'u2net'.; names that are known are"):
        tm.mask_from_model(disc, "u2nett")
    (tmp_path / "u2net").mkdir()
    for name in ("silueta", "u2netp"):
        onnx_file.mean_of_channels(tmp_path / "u2net" / f"{name}.onnx")
    assert load("u2netp").path == str(tmp_path / "u2net" / "u2netp.onnx")
    assert load().path == str(tmp_path / "u2net" / "silueta.onnx")


def test_callables_and_sessions(scene):
    shown = np.round(scene.image * 255).astype(np.uint8)
    seen = []

    def small(picture):
        seen.append(picture)
        return np.asarray(Image.fromarray(scene.alpha.astype(np.float32)).resize((48, 48)))

    class Session:
        def predict(self, picture):
            assert picture.size == (96, 64)
            return [Image.fromarray(np.round(scene.alpha * 255).astype(np.uint8))]

    mask = tm.mask_from_model(shown, small)
    np.testing.assert_array_equal(seen[0], shown)
    assert abs(mask - scene.alpha).mean() < 0.02
    assert abs(tm.mask_from_model(shown, Session()) - scene.alpha).max() <= 0.5 / 255 + 1e-6
    hard = tm.mask_from_model(shown, lambda _: scene.alpha[np.newaxis, :, :, np.newaxis] > 0.5)
    np.testing.assert_array_equal(hard, scene.alpha > 0.5)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "model: expected one mask as the answer, got nothing; try"),
        ([], "model: expected one mask as the answer, got 0; choose one by a callable"),
        ([1, 2], "model: expected one mask as the answer, got 2; choose"),
        (np.zeros((0, 4)), r"model: expected one mask \(h, w\) .*, got float64 of shape \(0, 4\)"),
        (np.zeros((4, 5, 3)), r"model: expected one mask \(h, w\) .*, got float64 of shape \(4, 5, 3\)"),
        (np.full((4, 5), np.nan), "model: 20 of 20 numbers of the answer are not finite"),
        (np.full((4, 5), 7.0), r"model: expected a mask in \[0, 1\] as the answer \(mask: expected values"),
        ("mask.png", "model: expected one mask as the answer, got a text"),
    ],
)
def test_answers_of_no_use(disc, answer, message):
    with pytest.raises(ModelError, match=message):
        tm.mask_from_model(disc, lambda _: answer)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"model": 7}, TypeError, "model: expected a file's name, a callable or a session of rembg, got int"),
        ({"model": dict}, TypeError, "model: expected a file's name, .*, got the class dict"),
        ({"model": lambda p: p, "preset": "u2net"}, TypeError, "preset: expected none beside function"),
        ({"preset": "u2nett"}, ValueError, "preset: expected one of u2net, .*did you mean 'u2net'"),
        ({"threads": 0}, ValueError, "threads: expected at least 1"),
    ],
)
def test_arguments_of_no_use(disc, network, arguments, kind, message):
    with pytest.raises(kind, match=message):
        tm.mask_from_model(disc, **{"model": network, **arguments})


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"side": 0}, ValueError, "side: expected at least 1"),
        ({"mean": (0.5, 0.5)}, TypeError, "mean: expected a tuple of 3 numbers"),
        ({"mean": (0.5, "a", 0.5)}, TypeError, "mean: expected a number"),
        ({"deviation": (1.0, 0.0, 1.0)}, ValueError, "deviation: expected numbers other than 0"),
    ],
)
def test_presets_of_no_use(options, kind, message):
    with pytest.raises(kind, match=message):
        Preset(**{"side": 16, **options})


def test_a_picture_without_a_subject_is_said(disc):
    with pytest.warns(TrimatteWarning, match=r"model: the network found no subject \(largest value 0.05\)"):
        assert tm.mask_from_model(disc, lambda _: np.full((8, 8), 0.05)).max() <= 0.06


def two_inputs(path):
    sides = (1, 3, 16, 16)
    inputs = [onnx_file.tensor(name, sides) for name in ("source", "state")]
    add = onnx_file.node("Add", ["source", "state"], "sum")
    return onnx_file.written(path, [add], inputs, [onnx_file.tensor("sum", sides)])


def channels_last(path):
    picture = onnx_file.tensor("picture", (1, 16, 16, 3))
    same = onnx_file.node("Identity", ["picture"], "same")
    return onnx_file.written(path, [same], [picture], [onnx_file.tensor("same", (1, 16, 16, 3))])


def three_planes(path):
    picture = onnx_file.tensor("picture", (1, 3, 16, 16))
    same = onnx_file.node("Identity", ["picture"], "same")
    return onnx_file.written(path, [same], [picture], [onnx_file.tensor("same", (1, 3, 16, 16))])


def answers_nan(path):
    return onnx_file.mean_of_channels(path, more=("Neg", "Sqrt"))


def of_doubles(path):
    return onnx_file.mean_of_channels(path, kind=onnx_file.DOUBLE)


def cut_off(path):
    onnx_file.mean_of_channels(path)
    path.write_bytes(path.read_bytes()[:60])
    return str(path)


def empty(path):
    path.write_bytes(b"")
    return str(path)


FILES_OF_NO_USE = [
    (two_inputs, "expected a network with one input, a picture, got inputs source, state; try another file"),
    (channels_last, r"expected one picture \(1, 3, height, width\) as the input, got tensor\(float\) of shape"),
    (three_planes, r"expected one mask \(h, w\) as the answer, got float32 of shape \(1, 3, 16, 16\); try"),
    (answers_nan, r"\d+ of 256 numbers of the answer are not finite; try another file, or give a mask"),
    (of_doubles, r"expected an input of floats, got tensor\(double\)"),
    (cut_off, "expected an ONNX file, got 60 bytes that onnxruntime cannot open .*: get the file again"),
    (empty, "expected an ONNX file, got 0 bytes that onnxruntime cannot open"),
]


@pytest.mark.parametrize(("made", "message"), FILES_OF_NO_USE)
def test_files_of_no_use(disc, tmp_path, made, message):
    with pytest.raises(ModelError, match=message):
        tm.mask_from_model(disc, made(tmp_path / "n.onnx"), preset=PLAIN)


def test_what_is_no_file(disc, tmp_path):
    with pytest.raises(ModelError, match=r"^.*: expected the file of a network \(.onnx\), got a folder"):
        tm.mask_from_model(disc, tmp_path)
    with pytest.raises(ModelError, match=r"absent.onnx: no such file; expected the file of a network \(.onnx\)"):
        tm.mask_from_model(disc, tmp_path / "absent.onnx")
    odd = onnx_file.mean_of_channels(tmp_path / "own.onnx", (48, 48))
    with pytest.raises(
        ModelError, match=r"neither the name nor the input's side, 48 pixels, .*; pass preset, one of"
    ):
        tm.mask_from_model(disc, odd)


def test_without_onnxruntime(disc, network, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r'a network needs onnxruntime: pip install "trimatte\[models\]"'):
        tm.mask_from_model(disc, network)


# The command.


@pytest.fixture
def here(tmp_path, monkeypatch, disc):
    monkeypatch.chdir(tmp_path)
    tm.io.save_image("photo.png", disc)
    onnx_file.mean_of_channels(tmp_path / "u2netp-of-16-pixels.onnx")
    return tmp_path


def test_remove_is_mask_matte_and_cutout(here, disc, capsys):
    arguments = ["remove", "photo.png", "-o", "cutout.png", "--model", "u2netp-of-16-pixels.onnx"]
    assert run([*arguments, "--trimap-output", "trimap.png", "--alpha-output", "alpha.png", "--band", "5"]) == 0
    mask = tm.mask_from_model(disc, "u2netp-of-16-pixels.onnx")
    np.testing.assert_array_equal(tm.io.read_picture("cutout.png").pixels, tm.cutout(disc, mask=mask, band=5))
    trimap = tm.io.load_image("trimap.png")
    assert set(np.unique(trimap)) == {0, 128, 255}
    alpha = tm.io.load_image("alpha.png")
    assert (alpha[trimap == 255] == 255).all()
    assert (alpha[32, 30], alpha[2, 2]) == (255, 0)
    assert "cutout.png: 64 x 64 pixels" in capsys.readouterr().out


@pytest.mark.parametrize(("made", "message"), FILES_OF_NO_USE)
def test_remove_leaves_nothing_behind(here, capsys, made, message):
    made(here / "u2net.onnx")
    assert run(["remove", "photo.png", "-o", "cutout.png", "--model", "u2net.onnx"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("trimatte: error: u2net.onnx: ")
    assert captured.err.count("\n") == 1
    assert not (here / "cutout.png").exists()


def test_remove_without_a_network_or_a_subject(here, capsys):
    assert run(["remove", "photo.png", "-o", "cutout.png"]) == 1
    assert "licence Apache 2.0" in capsys.readouterr().err
    tm.io.save_image("photo.png", np.zeros((64, 64, 3), np.uint8))
    network = onnx_file.mean_of_channels(here / "silueta.onnx")
    assert run(["remove", "photo.png", "-o", "cutout.png", "--model", network]) == 1
    assert "silueta.onnx: the network found no subject" in capsys.readouterr().err
    assert not (here / "cutout.png").exists()
    assert run(["remove", "photo.png", "-o", "silueta.onnx", "--model", network]) == 2
