"""Sequences: frames in order, started from and held to the one before; the rendered sequence; the command."""

import json
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import tolerances

import trimatte as tm
from trimatte import datasets
from trimatte._film import sources
from trimatte.cli import run
from trimatte.datasets._dandelion import render
from trimatte.io.names import with_slashes


@pytest.fixture(scope="module")
def frames():
    return list(datasets.sequence(96, 120, frames=4, seed=1))


@pytest.fixture(scope="module")
def still():
    """Five times the same, with noise of its own each time."""
    zero = np.zeros(2)
    return [render(160, 240, 0, 0.01, zero, zero, frame) for frame in range(5)]


def solved(frames, **options):
    return list(
        tm.solve_sequence([f.image for f in frames], [f.trimap for f in frames], method="closed-form", **options)
    )


def test_the_rendered_sequence_moves_and_stays_exact(frames):
    assert all(frame.alpha.shape == (96, 120) for frame in frames)
    first = datasets.dandelion(96, 120, seed=1)
    assert np.array_equal(frames[0].alpha, first.alpha)
    for before, after in pairwise(frames):
        assert np.abs(after.alpha - before.alpha).mean() > 0.005
        assert np.array_equal(after.background, before.background)
    for frame in datasets.sequence(64, 64, frames=2, noise=0):
        a = frame.alpha.astype(float)[..., None]
        exact = a * frame.foreground.astype(float) + (1 - a) * frame.background.astype(float)
        assert np.abs(frame.image - exact).max() < 2e-7
    with pytest.raises(ValueError, match="frames: expected at least 1, got 0"):
        datasets.sequence(64, 64, frames=0)


def test_noise_is_another_in_each_frame(still):
    known = still[0].trimap != 128
    difference = (still[1].image - still[0].image)[known]
    assert difference.std() == pytest.approx(0.01 * np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("solver", ["multigrid", "cg", "cholesky"])
def test_a_start_changes_the_way_and_not_the_answer(frames, solver):
    image, trimap = frames[1].image, frames[1].trimap
    cold = tm.solve_alpha(image, trimap, solver=solver, method="closed-form")
    warm = tm.solve_alpha(image, trimap, solver=solver, start=cold.alpha, method="closed-form")
    assert np.abs(warm.alpha - cold.alpha).max() < tolerances.ALPHA_TOLERANCE
    if solver == "cg":
        assert warm.info.iterations < cold.info.iterations
    with pytest.raises(ValueError, match="start: expected shape"):
        tm.solve_alpha(image, trimap, start=cold.alpha[1:], method="closed-form")


def test_frames_are_solved_as_by_themselves(frames):
    for frame, result in zip(frames, solved(frames), strict=True):
        alone = tm.estimate_alpha(frame.image, frame.trimap, method="closed-form")
        assert np.abs(result.alpha - alone).max() < 2 * tolerances.ALPHA_TOLERANCE


def test_what_stands_still_flickers_less(still):
    truths, trimaps = [f.alpha for f in still], [f.trimap for f in still]
    free, held = (
        tm.metrics.evaluate_sequence([r.alpha for r in solved(still, temporal=t)], truths, trimaps)
        for t in (0, 0.1)
    )
    assert held.dtssd < 0.85 * free.dtssd
    assert held.ssda < 1.05 * free.ssda


def test_what_moves_is_left_alone(frames):
    truths, trimaps = [f.alpha for f in frames], [f.trimap for f in frames]
    free, held = (
        tm.metrics.evaluate_sequence([r.alpha for r in solved(frames, temporal=t)], truths, trimaps)
        for t in (0, 0.1)
    )
    assert held.ssda < 1.05 * free.ssda


def test_frames_are_taken_one_by_one_and_a_new_size_starts_anew(frames):
    taken = []

    def images():
        for index, frame in enumerate(frames):
            taken.append(index)
            yield frame.image[: 96 - 8 * index]

    results = tm.solve_sequence(
        images(), (f.trimap[: 96 - 8 * i] for i, f in enumerate(frames)), temporal=0.01, method="closed-form"
    )
    assert next(results).alpha.shape == (96, 120)
    assert taken == [0]
    assert next(results).alpha.shape == (88, 120)
    assert taken == [0, 1]


def test_bad_sequences_are_refused(frames):
    images, trimaps = [f.image for f in frames], [f.trimap for f in frames]
    for some, others, which in ((images, trimaps[:3], "trimaps"), (images[:3], trimaps, "images")):
        with pytest.raises(ValueError, match=f"expected as many of both, got only 3 {which}"):
            list(tm.solve_sequence(some, others, method="closed-form"))
    with pytest.raises(TypeError, match="images: expected an iterable of arrays, got int"):
        tm.solve_sequence(5, 6, method="closed-form")
    with pytest.raises(TypeError, match="trimaps: expected an iterable of arrays, got int"):
        tm.solve_sequence(images, 6, method="closed-form")
    with pytest.raises(ValueError, match="temporal: expected a number from 0"):
        tm.solve_sequence(images, trimaps, temporal=-1, method="closed-form")
    with pytest.raises(ValueError, match="change: expected a number above 0"):
        tm.solve_sequence(images, trimaps, change=0, method="closed-form")
    with pytest.raises(ValueError, match="temporal: expected 0 beside a prior"):
        tm.solve_sequence(images, trimaps, temporal=1, prior="sampling")
    with pytest.raises(ValueError, match="temporal: expected 0 beside a prior or a method that has one"):
        tm.solve_sequence(images, trimaps, temporal=1, method="best")


def test_errors_name_the_frame(frames):
    images, trimaps = [f.image for f in frames], [f.trimap for f in frames]
    with pytest.raises(ValueError, match=r"^frame 2: trimap: expected shape \(\d+, \d+\) to match image"):
        list(tm.solve_sequence(images, [*trimaps[:2], trimaps[2][1:], *trimaps[3:]], method="closed-form"))
    with pytest.raises(TypeError, match=r"^frame 1: image: expected uint8, .*, got int64"):
        list(tm.solve_sequence([images[0], images[1].astype(int)], trimaps[:2], method="closed-form"))
    with pytest.raises(tm.ConvergenceError, match=r"^frame 0: cg: relative residual") as caught:
        next(tm.solve_sequence(images, trimaps, solver="cg", max_iterations=1, method="closed-form"))
    assert caught.value.info.iterations == 1


def test_a_frame_buffer_may_be_used_again(frames):
    expected = solved(frames, temporal=0.1)
    buffer = np.empty_like(frames[0].image)

    def images():
        for frame in frames:
            buffer[:] = frame.image
            yield buffer

    results = tm.solve_sequence(images(), [f.trimap for f in frames], temporal=0.1, method="closed-form")
    for result, wanted in zip(results, expected, strict=True):
        assert np.array_equal(result.alpha, wanted.alpha)
        result.alpha[:] = 0


@pytest.fixture
def files(frames, tmp_path, monkeypatch):
    for folder in ("in", "tri", "out"):
        (tmp_path / folder).mkdir()
    for number, frame in enumerate(frames, 7):
        tm.io.save_image(tmp_path / "in" / f"{number:04}.png", frame.image)
        tm.io.save_image(tmp_path / "tri" / f"{number:04}.png", frame.trimap)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command(files, capsys):
    assert run(["sequence", "in/%04d.png", "tri/%04d.png", "-o", "out/%d.png", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [frame["output"] for frame in record["frames"]] == [f"out/{n}.png" for n in range(7, 11)]
    image, trimap = tm.io.load_image("in/0007.png"), tm.io.load_image("tri/0007.png")
    assert np.array_equal(tm.io.read_picture("out/7.png").pixels, tm.cutout(image, trimap))
    arguments = ["--what", "alpha", "--bits", "16", "--first", "9", "--temporal", "0.01", "-q"]
    assert run(["sequence", "in/%04d.png", "tri/%04d.png", "-o", "out/a%d.png", *arguments]) == 0
    assert sorted(path.name for path in (files / "out").glob("a*")) == ["a10.png", "a9.png"]
    (files / "50%" / "f3").mkdir(parents=True)
    for name in ("i", "t"):
        source = files / ("in" if name == "i" else "tri") / "0007.png"
        (files / "50%" / "f3" / f"{name}.png").write_bytes(source.read_bytes())
    assert run(["sequence", "50%%/f%d/i.png", "50%%/f%d/t.png", "-o", "out/b%d.png", "-q"]) == 0
    assert (files / "out" / "b3.png").exists()
    assert tm.io.load_image("out/a9.png").dtype == np.uint16


def test_the_command_warns_of_a_gap(files, capsys):
    (files / "in" / "0008.png").unlink()
    assert run(["sequence", "in/%04d.png", "tri/%04d.png", "-o", "out/%d.png"]) == 0
    assert "warning: in/0008.png: no such frame; the 2 from 9 on are left out" in capsys.readouterr().err
    assert [path.name for path in (files / "out").iterdir()] == ["7.png"]


def test_numbers_are_found_in_names_with_backslashes_on_windows(monkeypatch):
    monkeypatch.setattr(sources, "with_slashes", partial(with_slashes, separator="\\"))
    found = [r"in/a\7.png", r"in\a\12.png", r"in\a\b.png"]
    monkeypatch.setattr(sources.glob, "glob", lambda pattern: found)
    for pattern in ("in/a/%d.png", r"in\a\%d.png"):
        assert sources._numbers(pattern) == [7, 12]


def test_the_command_names_the_frame_that_is_wrong(files, capsys):
    trimap = tm.io.load_image("tri/0009.png")
    tm.io.save_image("tri/0009.png", trimap[1:])
    assert run(["sequence", "in/%04d.png", "tri/%04d.png", "-o", "out/%d.png"]) == 1
    assert "error: frame 9, in/0009.png: trimap: expected shape" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["in/%04d.tif", "tri/%04d.png", "-o", "out/%d.png"], 1, "in/%04d.tif: no such frame"),
        (["in/%04d.png", "tri/%04d.png", "-o", "out/%d.png", "--first", "3"], 1, "in/0003.png: no such frame"),
        (["in/%04d.png", "tri/%d.png", "-o", "out/%d.png"], 1, "tri/7.png: no such file, but there is a frame 7"),
        (["in/%04d.png", "tri/%04d.png", "-o", "out/x.png"], 2, "out/x.png: expected one %d"),
        (["in/0007.png", "tri/%04d.png", "-o", "out/%d.png"], 2, "in/0007.png: expected a clip (clip.mp4)"),
        (["in/%04d.png", "tri/%04d.png", "-o", "in/%04d.png"], 2, "is an input"),
    ],
)
def test_the_command_says_what_is_wrong(files, capsys, arguments, code, message):
    assert run(["sequence", *arguments]) == code
    assert message in capsys.readouterr().err
    assert not list((files / "out").iterdir())
