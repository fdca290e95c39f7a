"""What the names of methods mean, the same for Python, the command line, batches and evaluations."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from own_affinity import FourNeighbours

import trimatte as tm
from trimatte import methods
from trimatte.affinities import ClosedForm
from trimatte.batch import Job, jobs_from_manifest
from trimatte.cli import run
from trimatte.cli._options import solve_options
from trimatte.evaluation import Method


@pytest.fixture(scope="module")
def picture():
    return tm.datasets.hair(48, 60, seed=4)


@pytest.mark.parametrize(
    ("name", "affinity", "prior"),
    [
        ("closed-form", ClosedForm, None),
        ("best", ClosedForm, "fusion"),
        ("auto", ClosedForm, None),
        ("sampling", None, "sampling"),
        ("closed-form+sampling", ClosedForm, "sampling"),
        ("closed-form+patch-regression", ClosedForm, "patch-regression"),
    ],
)
def test_meaning(name, affinity, prior):
    assert methods.meaning(name) == (affinity, prior)


def test_every_name_has_a_meaning():
    assert {"closed-form", "best"} <= set(methods.names())
    for name in methods.names():
        affinity, prior = methods.meaning(name)
        assert affinity or prior
        if prior:
            assert isinstance(methods.prior(prior, 7), methods.PRIORS[prior])


def test_the_seed_reaches_the_priors_that_have_one():
    assert methods.prior("robust", 7).seed == 7
    assert methods.prior("patch-regression", 7) == tm.priors.PatchRegression()


@pytest.mark.parametrize(
    ("method", "error", "message"),
    [
        (
            "bets",
            ValueError,
            "method: expected one of auto, best, closed-form, .*got 'bets'; did you mean 'best'[?]",
        ),
        ("closed_form", ValueError, "did you mean 'closed-form'[?]"),
        ("magic", ValueError, "got 'magic'$"),
        (
            "closed-form+samplin",
            ValueError,
            "expected a prior of .* after closed-form[+], .*did you mean 'sampling'[?]",
        ),
        ("closed-form+", ValueError, "expected a prior of fusion, .* after closed-form[+]"),
        ("clsed-form+sampling", ValueError, "did you mean 'closed-form'[?]"),
        ("best+sampling", ValueError, r"expected one of closed-form.* before \+, .*'best' has a prior"),
        ("sampling+closed-form", ValueError, "expected one of closed-form.* before"),
        ("", ValueError, "method: expected one of auto, "),
        (None, TypeError, "method: expected a name or an object of trimatte.affinities, got None"),
        (ClosedForm, TypeError, r"got the class ClosedForm; make an object: ClosedForm\(\)"),
        (tm.priors.Robust(), TypeError, "got Robust; pass it as prior"),
        (np.zeros(3), TypeError, "got ndarray"),
    ],
)
def test_what_is_no_method(picture, method, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(picture.image, picture.trimap, method=method)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"method": "sampling", "epsilon": 1e-5},
            TypeError,
            "epsilon: method 'sampling' has no such option; it has none",
        ),
        (
            {"method": ClosedForm(), "epsilon": 1e-5},
            TypeError,
            r"epsilon: .* beside an object .*ClosedForm\(epsilon=...\)",
        ),
        (
            {"epsilom": 1e-5},
            TypeError,
            r"epsilom: .*'auto' \(epsilon, radius\), .*did you mean 'epsilon'[?]",
        ),
        ({"slover": "cg"}, TypeError, "slover: expected an argument of solve_alpha .*did you mean 'solver'[?]"),
        ({"method": "best", "radius": 0}, ValueError, "radius: expected at least 1, got 0"),
        ({"method": "best", "prior": "sampling"}, ValueError, 'prior: expected none with method "best"'),
        (
            {"method": "closed-form+sampling", "prior": "robust"},
            ValueError,
            r'prior: expected none with method "closed-form\+sampling"',
        ),
        ({"prior": "samplign"}, ValueError, "prior: expected one of .*did you mean 'sampling'[?]"),
    ],
)
def test_options_that_do_not_fit(picture, options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(picture.image, picture.trimap, **options)


def test_a_combined_name_is_an_affinity_with_a_prior(picture):
    image, trimap = picture.image, picture.trimap
    both, info = tm.solve_alpha(image, trimap, method="closed-form+sampling", epsilon=1e-5, seed=3)
    assert (info.method, info.prior) == ("closed-form+sampling", "sampling")
    assert (both == tm.estimate_alpha(image, trimap, prior="sampling", epsilon=1e-5, seed=3)).all()
    cut = tm.cutout(image, trimap, method="closed-form+sampling", epsilon=1e-5, seed=3)
    assert (cut[..., 3] == both).all()


def test_an_option_that_is_none_is_not_given(picture):
    image, trimap = picture.image, picture.trimap
    same = tm.estimate_alpha(image, trimap, method="sampling", epsilon=None, radius=None)
    assert (same == tm.estimate_alpha(image, trimap, method="sampling")).all()


def test_a_sequence_can_be_held_by_an_object(picture):
    frames = [picture.image] * 2, [picture.trimap] * 2
    results = list(tm.solve_sequence(*frames, temporal=0.1, method=ClosedForm(epsilon=1e-6)))
    assert results[1].info.prior == "array"
    with pytest.raises(ValueError, match="temporal: expected 0 beside a prior or a method that has one"):
        tm.solve_sequence(*frames, temporal=0.1, method="closed-form+sampling")


class TestAMethodOfOnesOwn:
    """Once it is registered, everything knows its name and its options."""

    @pytest.fixture
    def files(self, picture, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        tm.io.save_image("image.png", (picture.image * 255).astype(np.uint8))
        tm.io.save_image("trimap.png", picture.trimap)

    @pytest.fixture
    def expected(self, files):
        image, trimap = tm.io.load_image("image.png"), tm.io.load_image("trimap.png")
        return tm.estimate_alpha(image, trimap, method=FourNeighbours(beta=20.0))

    def test_python(self, files, expected, registered):
        image, trimap = tm.io.load_image("image.png"), tm.io.load_image("trimap.png")
        assert (tm.estimate_alpha(image, trimap, method="four-neighbours", beta=20.0) == expected).all()
        cut = tm.cutout(image, trimap, method="four-neighbours", beta=20.0)
        assert (cut[..., 3] == np.round(expected * 255)).all()
        info = tm.solve_alpha(image, trimap, method="four-neighbours+sampling").info
        assert (info.method, info.prior) == ("four-neighbours+sampling", "sampling")
        with pytest.raises(
            TypeError, match="radius: method 'four-neighbours' has no such option; it has beta, wrap"
        ):
            tm.estimate_alpha(image, trimap, method="four-neighbours", radius=2)
        with pytest.raises(TypeError, match="beta: method 'closed-form' has no such option"):
            tm.estimate_alpha(image, trimap, beta=20.0, method="closed-form")

    def test_the_command_lines_options(self, registered):
        found = {}

        @click.command()
        @solve_options
        def show(**options):
            found.update({name: value for name, value in options.items() if value is not None})

        run_show = CliRunner().invoke
        result = run_show(
            show, ["--method", "four-neighbours+sampling", "--beta", "20", "--wrap", "--epsilon", "1e-5"]
        )
        assert result.exit_code == 0, result.output
        assert found == {"method": "four-neighbours+sampling", "beta": 20.0, "wrap": True, "epsilon": 1e-5}
        assert run_show(show, ["--beta", "-1"]).exit_code == 2
        text = " ".join(run_show(show, ["--help"]).output.split())
        assert "How soon colours count as different. [default: 90.0 for four-neighbours]" in text
        assert "Smoothness of alpha. [default: 1e-7 for closed-form and large-kernel]" in text
        assert "--wrap / --no-wrap" in text

    def test_a_batch(self, files, expected, registered):
        Path("jobs.csv").write_text(
            "image,trimap,alpha,method,beta\nimage.png,trimap.png,a.png,four-neighbours,20\n"
        )
        with ThreadPoolExecutor(1) as executor:  # other processes know only what they import
            assert tm.batch.run(jobs_from_manifest("jobs.csv"), executor=executor).failed == 0
        assert abs(tm.io.load_image("a.png") / 255 - expected).max() < 0.51 / 255
        with pytest.raises(tm.BatchError, match=r"image.png: beta: method 'best' has no such option"):
            Job("image.png", {"alpha": "b.png"}, trimap="trimap.png", options={"method": "best", "beta": 3})

    def test_an_evaluation(self, registered):
        method = Method.parse("four-neighbours+sampling,beta=20,wrap=true")
        assert method._options() == {"method": "four-neighbours+sampling", "beta": 20, "wrap": True}
        method.refuse_unusable()
        with pytest.raises(ValueError, match="beta: expected a number from 0"):
            Method.parse("four-neighbours,beta=-1").refuse_unusable()


def test_options_of_one_name_are_one_switch(monkeypatch):
    """Two affinities share a switch; each default is said, and the bounds are the wider ones."""
    from trimatte.cli._options import affinity_option

    fields = {
        "closed-form": ClosedForm.__dataclass_fields__["epsilon"],
        "other": FourNeighbours.__dataclass_fields__["beta"],
    }
    name, kind, _, text = affinity_option("some_name", fields)
    assert name == "--some-name"
    assert (kind.min, kind.max) == (0, 1e6)
    assert text.endswith("[default: 1e-7 for closed-form, 90.0 for other]")


@pytest.mark.parametrize("name", ["bets", "closed-form+magic", "best+sampling"])
def test_the_command_line_refuses_a_name(name, capsys):
    assert run(["alpha", "a.png", "b.png", "-o", "c.png", "--method", name]) == 2
    said = capsys.readouterr().err
    assert "Invalid value for '--method': expected" in said
    assert repr(name) in said


def test_the_command_line_takes_a_combined_name(picture, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tm.io.save_image("image.png", picture.image)
    tm.io.save_image("trimap.png", picture.trimap)
    assert (
        run(["alpha", "image.png", "trimap.png", "-o", "a.png", "--method", "closed-form+sampling", "--json"]) == 0
    )
    record = json.loads(capsys.readouterr().out)["alpha"]
    assert (record["method"], record["prior"]) == ("closed-form+sampling", "sampling")


def test_a_job_refuses_what_its_method_would_not_take():
    def job(**options):
        return Job("a.png", {"alpha": "b.png"}, trimap="t.png", options=options)

    assert job(method=ClosedForm(epsilon=1e-5), seed=3).options["seed"] == 3
    for options, message in (
        ({"method": "bets"}, "a.png: method: expected one of .*did you mean 'best'"),
        ({"method": "sampling", "radius": 2}, "a.png: radius: method 'sampling' has no such option"),
        ({"epsilon": 0}, "a.png: epsilon: expected a number from 1e-08"),
        ({"epsilom": 1}, "a.png: expected options of .*got 'epsilom'; did you mean 'epsilon'"),
    ):
        with pytest.raises(tm.BatchError, match=message):
            job(**options)
