"""Clips: reading, writing, and the command that mattes them; all clips are rendered here."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import trimatte as tm
from trimatte._film import sinks
from trimatte._film.work import MARK
from trimatte.cli import run
from trimatte.io import video
from trimatte.io.names import TEMPORARY

pytest.importorskip("av", reason="PyAV has no wheel for this Python")

import clips
import onnx_file


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a clip, its masks and trimaps as clips and pictures, and a green screen."""
    folder = tmp_path_factory.mktemp("clips")
    pictures, alphas = clips.frames(missing=(3,))
    clips.write(folder / "shot.mp4", pictures, sound="aac")
    clips.write(folder / "masks.mp4", [clips.grey(alpha > 0.5) for alpha in alphas])
    clips.write(folder / "trimaps.mov", [clips.grey(clips.trimap(alpha)) for alpha in alphas])
    green = clips.frames((0.1, 0.7, 0.2), missing=(3,))[0]
    clips.write(folder / "green.mkv", green, sound="libopus")
    (folder / "masks").mkdir()
    for number, alpha in enumerate(alphas):
        tm.io.save_image(folder / "masks" / f"m{number + 7}.png", np.uint8(255) * (alpha > 0.5))
    tm.io.save_image(folder / "plate.png", clips.over(np.zeros((48, 64)), (0.15, 0.2, 0.5)))
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """A folder with links to all of that, in which commands run."""
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


ALPHAS = clips.frames(missing=(3,))[1]
ONE = ("--processes", "1", "--quiet")


def alphas_of(path):
    return [frame[..., 3] / np.iinfo(frame.dtype).max for frame in tm.io.open_clip(path)]


def test_a_clip_is_read_as_it_was_written(folder):
    clip = tm.io.open_clip("shot.mp4")
    assert (clip.width, clip.height, clip.rate, clip.bits) == (64, 48, Fraction(24000, 1001), 8)
    assert clip.colours == (9, 16, 1, 1)
    assert clip.count() == 6
    for frame, wanted in zip(clip, clips.frames(missing=(3,))[0], strict=True):
        assert np.abs(frame.astype(int) - wanted).mean() < 2
    assert repr(clip) == "Clip('shot.mp4', 64 x 48, 23.976 a second)"


@pytest.mark.parametrize(("name", "depth", "most"), [("a.mov", np.uint16, 0.005), ("a.webm", np.uint8, 0.06)])
def test_a_clip_is_written_with_times_colours_and_sound(folder, name, depth, most):
    source = tm.io.open_clip("shot.mp4")
    cutouts = [np.dstack([f, np.rint(a * 255).astype(np.uint8)]) for f, a in zip(source, ALPHAS, strict=True)]
    tm.io.save_clip(name, iter(cutouts), like=source)
    clip = tm.io.open_clip(name)
    assert clip.has_alpha
    assert (clip.colours, clip.rate) == (source.colours, source.rate)
    for frame, wanted in zip(clip, cutouts, strict=True):
        assert frame.dtype == depth
        solid = wanted[..., 3] == 255
        top = np.iinfo(depth).max
        assert np.abs(frame[..., 3] / top - wanted[..., 3] / 255).max() < most
        assert solid.sum() == 0 or np.abs(frame[solid] / top - wanted[solid] / 255).mean() < 0.02
    times = [[float(f.time * c.time_base) for f in c.frames()] for c in (source, clip)]
    np.testing.assert_allclose(*times, atol=6e-4)  # WebM counts milliseconds
    heard = clips.decoded(name)
    if name == "a.mov":
        np.testing.assert_array_equal(heard, clips.decoded("shot.mp4"))
    else:
        assert clips.decoded(name, "codecs") == ["vp9", "opus"]
        assert heard.shape[1] == pytest.approx(clips.decoded("shot.mp4").shape[1], abs=2000)
        assert heard.std() == pytest.approx(clips.decoded("shot.mp4").std(), rel=0.1)


def test_clips_are_turned_upright(folder):
    import av

    with av.open("shot.mp4") as source, av.open("turned.mp4", "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(-90)  # as a telephone that is held upright writes it
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    turned, plain = (next(iter(tm.io.open_clip(name))) for name in ("turned.mp4", "shot.mp4"))
    assert (tm.io.open_clip("turned.mp4").width, turned.shape) == (48, (64, 48, 3))
    np.testing.assert_array_equal(turned, np.rot90(plain, -1))


def test_deep_clips_and_untagged_ones(folder):
    ramp = np.zeros((48, 64, 3), np.uint16)
    ramp[...] = (np.arange(64) * 1024)[:, None]
    tm.io.save_clip("deep.mov", [ramp, ramp], rate=25)
    clip = tm.io.open_clip("deep.mov")
    frame = next(iter(clip))
    assert (clip.bits, clip.has_alpha, frame.dtype, clip.rate) == (12, False, np.uint16, 25)
    assert np.abs(frame.astype(int) - ramp).max() < 400  # ProRes keeps 10
    assert clip.colours.matrix == 6  # BT.601, which a small clip without a tag has


def test_the_lines_of_the_page_run(folder):
    page = Path(__file__).parents[1] / "docs" / "clips.md"
    if not page.exists():
        pytest.skip("the documents are not beside the tests")
    lines = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    clips.write("trimaps.mp4", [clips.grey(clips.trimap(alpha)) for alpha in (ALPHAS[0], *ALPHAS[:2])])
    (folder / "shot.mp4").unlink()
    clips.write("shot.mp4", [clips.over(alpha, (0.1, 0.2, 0.5)) for alpha in (ALPHAS[0], *ALPHAS[:2])])
    exec(lines, {"tm": tm})
    assert np.abs(alphas_of("cutout.mov")[2] - ALPHAS[1]).mean() < 0.01


@pytest.mark.parametrize(
    "guide",
    [
        ["shot.mp4", "trimaps.mov"],
        ["shot.mp4", "--masks", "masks.mp4", "--no-learn"],
        ["shot.mp4", "--masks", "masks", "--no-learn"],
        ["green.mkv", "--key", "auto"],
        ["green.mkv", "--key", "#1ab333"],
    ],
    ids=" ".join,
)
def test_a_clip_is_matted(folder, guide):
    assert run(["sequence", *guide, "-o", "new/cut.mov", *ONE]) == 0
    clip = tm.io.open_clip("new/cut.mov")
    assert clip.colours[:3] == (9, 16, 1)
    for number, (got, wanted) in enumerate(zip(alphas_of("new/cut.mov"), ALPHAS, strict=True)):
        assert np.abs(got - wanted).mean() < 0.01
        assert number != 3 or not got.any()  # the subject is not in there
    assert [path.name for path in (folder / "new").iterdir()] == ["cut.mov"]
    assert clips.decoded("new/cut.mov").shape[1] > 8000


def test_a_plate_serves_all_frames(folder):
    assert run(["sequence", "shot.mp4", "--plate", "plate.png", "-o", "cut.webm", *ONE, "--what", "cutout"]) == 0
    got = alphas_of("cut.webm")
    for number in (0, 1, 2, 4, 5):
        assert np.abs(got[number] - ALPHAS[number]).mean() < 0.03


def test_workers_keep_the_order_and_the_bits(folder, capsys):
    assert run(["sequence", "shot.mp4", "trimaps.mov", "-o", "one/%03d.png", *ONE]) == 0
    assert run(["sequence", "shot.mp4", "trimaps.mov", "-o", "two", "--processes", "2", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [frame["output"] for frame in record["frames"]] == [f"two/00000{n}.png" for n in range(1, 7)]
    for number in range(1, 7):
        one, two = (folder / name for name in (f"one/{number:03}.png", f"two/{number:06}.png"))
        assert one.read_bytes() == two.read_bytes()
    frame = next(iter(tm.io.open_clip("shot.mp4")))
    trimap = next(iter(tm.io.open_clip("trimaps.mov")))[..., 1]
    np.testing.assert_array_equal(tm.io.read_picture("one/001.png").pixels, tm.cutout(frame, trimap))
    assert sorted(path.name for path in (folder / "two").iterdir()) == [f"00000{n}.png" for n in range(1, 7)]


def test_a_warning_of_many_frames_is_told_once(folder, capsys):
    assert run(["sequence", "shot.mp4", "masks", "-o", "out", "--processes", "1"]) == 0  # no pixel is unknown
    said = [
        line for line in capsys.readouterr().err.splitlines() if "no pixel is unknown" in line or "like" in line
    ]
    assert len(said) == 2
    assert said[0].startswith("trimatte: warning: frame 1 of shot.mp4: trimap: no pixel is unknown")
    assert said[1] == "trimatte: warning: frame 1 of shot.mp4: 5 frames have a warning like this one"


@pytest.fixture
def breaks(folder):
    """Masks of which the fifth is damaged; calling it mends them."""
    good = (folder / "masks").resolve()
    (folder / "own").mkdir()
    for path in good.iterdir():
        (folder / "own" / path.name).write_bytes(path.read_bytes())
    bad = folder / "own" / "m11.png"
    bad.write_bytes(bad.read_bytes()[:60])
    return lambda: bad.write_bytes((good / "m11.png").read_bytes())


def test_frames_that_are_done_are_left_out(folder, breaks, capsys):
    arguments = ["sequence", "shot.mp4", "--masks", "own", "--no-learn", "--processes", "1"]
    assert run([*arguments, "-o", "out/%d.png"]) == 1
    assert "frame 5 of shot.mp4: own/m11.png: damaged" in (said := capsys.readouterr().err)
    assert "4 finished frames are kept; the same command goes on with the others" in said
    before = [(folder / "out" / f"{number}.png").stat().st_mtime_ns for number in range(1, 5)]
    breaks()
    (folder / "out" / f"{TEMPORARY}{MARK}0123.tmp").write_bytes(b"half a frame of a run that was killed")
    (folder / "out" / f"{TEMPORARY}0123.tmp").write_bytes(b"half a picture of another program")
    assert run([*arguments, "-o", "out/%d.png"]) == 0
    assert "6 frames, 4 done before" in capsys.readouterr().out
    left = {path.name for path in (folder / "out").iterdir()} - {f"{number}.png" for number in range(1, 7)}
    assert left == {f"{TEMPORARY}0123.tmp"}
    assert [(folder / "out" / f"{number}.png").stat().st_mtime_ns for number in range(1, 5)] == before
    assert run([*arguments, "-o", "whole/%d.png"]) == 0
    for number in range(1, 7):
        assert (folder / f"out/{number}.png").read_bytes() == (folder / f"whole/{number}.png").read_bytes()
    # what was done with other options counts for nothing, nor what is asked for anew
    breaks_again = folder / "own" / "m12.png"
    content = breaks_again.read_bytes()
    breaks_again.write_bytes(b"")
    assert run([*arguments, "-o", "out/%d.png"]) == 1
    breaks_again.write_bytes(content)
    assert "5 finished frames are kept" in capsys.readouterr().err
    assert run([*arguments, "-o", "out/%d.png", "--band", "5"]) == 0
    assert "done before" not in capsys.readouterr().out


def test_parts_of_a_clip_are_kept(folder, breaks, capsys, monkeypatch):
    monkeypatch.setattr(sinks, "PART", 2)
    arguments = ["sequence", "shot.mp4", "--masks", "own", "--no-learn", "--processes", "1"]
    assert run([*arguments, "-o", "out/cut.mov"]) == 1
    assert "4 finished frames are kept" in capsys.readouterr().err
    assert not (folder / "out" / "cut.mov").exists()
    breaks()
    assert run([*arguments, "-o", "out/cut.mov"]) == 0
    assert "6 frames, 4 done before" in capsys.readouterr().out
    assert [path.name for path in (folder / "out").iterdir()] == ["cut.mov"]
    assert run([*arguments, "-o", "whole.mov"]) == 0
    for got, wanted in zip(tm.io.open_clip("out/cut.mov"), tm.io.open_clip("whole.mov"), strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert run([*arguments, "-o", "anew.mov", "--anew"]) == 0
    assert "done before" not in capsys.readouterr().out


def test_a_clip_is_made_of_pictures(folder):
    for number, frame in enumerate(tm.io.open_clip("green.mkv")):
        tm.io.save_image(f"g{number}.png", frame)
    assert run(["sequence", "g%d.png", "--key", "auto", "-o", "x.mov", "--rate", "12.5", *ONE]) == 0
    assert tm.io.open_clip("x.mov").rate == Fraction(25, 2)
    assert clips.decoded("x.mov", "codecs") == ["prores"]


@pytest.fixture
def broken(folder):
    """Clips that are not as they should be."""
    pictures = clips.frames(count=30)[0]
    clips.write(folder / "fast.mp4", pictures, options={"movflags": "faststart"})
    whole = (folder / "fast.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) * 6 // 10])
    clips.write(folder / "fast.mkv", pictures)
    whole = (folder / "fast.mkv").read_bytes()
    (folder / "half.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    (folder / "head.mp4").write_bytes((folder / "shot.mp4").read_bytes()[:3000])
    (folder / "odd.mov").write_bytes((folder / "trimaps.mov").read_bytes().replace(b"avc1", b"zzz9"))
    for name, size in (("a.ts", 48), ("b.ts", 32)):
        clips.write(folder / name, [picture[:size] for picture in clips.frames()[0]], layout="yuv420p")
    (folder / "sizes.ts").write_bytes((folder / "a.ts").read_bytes() + (folder / "b.ts").read_bytes())
    (folder / "text.mp4").write_text("no clip")
    clips.write(folder / "five.mp4", [clips.grey(alpha > 0.5) for alpha in ALPHAS[:5]])
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["half.mp4", "--key", "auto"], 1, "half.mp4: truncated: it ends after"),
        (["half.mkv", "--key", "auto"], 1, "half.mkv: truncated: it ends after"),
        (["head.mp4", "--key", "auto"], 1, "head.mp4: damaged, truncated, or no clip"),
        (["text.mp4", "--key", "auto"], 1, "text.mp4: damaged, truncated, or no clip"),
        (["odd.mov", "--key", "auto"], 1, "odd.mov: no decoder is known for its codec; export it as"),
        (["none.mp4", "--key", "auto"], 1, "none.mp4: no such file or directory"),
        (
            ["sizes.ts", "--key", "#262f80"],
            1,
            "sizes.ts: frame 7: expected 64 x 48 as in the first frame, got 64 x 32",
        ),
        (["shot.mp4", "--masks", "five.mp4"], 1, "five.mp4: expected 6 frames, as many as shot.mp4 has, got 5"),
        (["five.mp4", "--masks", "masks"], 1, "masks: expected 5 frames, as many as five.mp4 has, got 6"),
        (["shot.mp4", "--masks", "green.mkv"], 1, "expected a grey mask, got coloured pixels; are the two clips"),
        (
            ["shot.mp4", "trimaps.mov", "--masks", "masks"],
            2,
            "expected one of TRIMAPS, --masks, --model, --key and --plate",
        ),
        (["shot.mp4"], 2, "expected one of TRIMAPS, --masks, --model, --key and --plate, got none"),
        (["shot.mp4", "--masks", "masks", "--method", "best"], 2, "--method: not with --masks"),
        (["shot.mp4", "trimaps.mov", "--band", "3"], 2, "--band: only with --masks or --model"),
        (["shot.mp4", "--masks", "masks", "--preset", "u2net"], 2, "--preset: only with --model"),
        (["shot.mp4", "--model", "none.onnx"], 1, "none.onnx"),
        (["shot.mp4", "--masks", "masks", "--temporal", "1"], 2, "--temporal: only with trimaps"),
        (["shot.mp4", "--masks", "masks", "--rate", "12"], 2, "--rate: only for pictures; a clip keeps its own"),
        (["shot.mp4", "--masks", "masks", "--bits", "16"], 2, "--bits: not for a clip"),
        (
            ["shot.txt", "--masks", "masks"],
            2,
            "shot.txt: expected a clip (clip.mp4), a folder of frames, or names",
        ),
        (["s3://a/b.mp4", "--key", "auto"], 2, "s3://a/b.mp4: a sequence is read from local files"),
    ],
)
def test_bad_clips_are_refused_and_leave_nothing(broken, capsys, arguments, code, message):
    assert run(["sequence", *arguments, "-o", "new/cut.mov", "--processes", "1"]) == code
    assert message in capsys.readouterr().err
    assert not (broken / "new").exists() or not list((broken / "new").iterdir())


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("cut.mp4", "cut.mp4: expected .mov (ProRes 4444) or .webm (VP9), which have transparency, got .mp4"),
        ("cut.png", "cut.png: expected one %d or %04d for the frame's number"),
        ("shot.mov", "shot.mov: is an input; choose another name for the output"),
    ],
)
def test_bad_outputs_are_refused(folder, capsys, output, message):
    (folder / "shot.mov").symlink_to(folder / "shot.mp4")
    assert run(["sequence", "shot.mov", "trimaps.mov", "-o", output, *ONE]) == 2
    assert message in capsys.readouterr().err


def test_a_network_finds_the_subject_of_each_frame(folder, capsys):
    """The network takes the brightest pixels for the subject."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime has no wheel for this Python")
    network = onnx_file.mean_of_channels(folder / "bright.onnx", size=(48, 64), more=("Sigmoid",))
    options = ["--model", network, "--preset", "u2net"]
    assert run(["sequence", "shot.mp4", *options, "-o", "cut.mov", "--processes", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == network
    found = alphas_of("cut.mov")
    for number in {*range(len(ALPHAS))} - {3}:
        inside, outside = (found[number][ALPHAS[number] == alpha].mean() for alpha in (1, 0))
        assert inside > outside + 0.3, number
    assert run(["sequence", "shot.mp4", *options, "-o", "one.mov", *ONE]) == 0
    for two, one in zip(found, alphas_of("one.mov"), strict=True):
        np.testing.assert_array_equal(two, one)


def test_a_frame_in_which_the_network_finds_nothing_is_transparent(folder):
    pytest.importorskip("onnxruntime", reason="ONNX Runtime has no wheel for this Python")
    network = onnx_file.mean_of_channels(folder / "blind.onnx", size=(48, 64), more=("Sigmoid", "Floor"))
    assert run(["sequence", "shot.mp4", "--model", network, "--preset", "u2net", "-o", "cut.mov", *ONE]) == 0
    assert max(alpha.max() for alpha in alphas_of("cut.mov")) == 0


def test_webm_needs_even_sides(folder, capsys):
    clips.write(folder / "odd.mp4", [picture[:47] for picture in clips.frames((0.1, 0.7, 0.2))[0]])
    assert run(["sequence", "odd.mp4", "--key", "auto", "-o", "x.webm", *ONE]) == 1
    assert "x.webm: WebM needs an even width and height, got 64 x 47; write a .mov" in capsys.readouterr().err


def test_without_pyav_the_extra_is_named(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert run(["sequence", "shot.mp4", "--key", "auto", "-o", "x.mov"]) == 1
    assert 'shot.mp4: a clip needs PyAV: pip install "trimatte[video]"' in capsys.readouterr().err


def test_bad_arguments_of_save_clip(folder):
    frame = np.zeros((48, 64, 4), np.uint8)
    for arguments, message in (
        ({"frames": [frame]}, "rate: expected frames per second, or a clip as like"),
        ({"frames": [], "rate": 24}, "frames: expected at least one, got none"),
        (
            {"frames": [frame, frame[1:]], "rate": 24},
            "frames: expected 64 x 48, 4 channels, as the first one, got",
        ),
        (
            {"frames": [frame] * 7, "like": tm.io.open_clip("shot.mp4")},
            "frames: expected at most 6, as shot.mp4 has",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            tm.io.save_clip("x.mov", **arguments)
    with pytest.raises(TypeError, match="frames: expected an iterable of arrays, got int"):
        tm.io.save_clip("x.mov", 5, rate=24)
    assert not (folder / "x.mov").exists()
    assert video.is_clip("A.MOV")
