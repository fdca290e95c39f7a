"""Information-flow matting: its energy against the paper's, and alpha on every way to it."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from operators import operator
from reference import closed_form, information_flow
from tolerances import ALPHA_DIRECT, ALPHA_PRIOR, ALPHA_TOLERANCE, LAPLACIAN, LAPLACIAN_NULL

import trimatte as tm
from trimatte import _check
from trimatte._context import make_context
from trimatte.affinities import Affinity, InformationFlow
from trimatte.affinities._base import DataTerm, Findings
from trimatte.affinities.information_flow import MOST_UNEXPLAINED, unexplained
from trimatte.batch._cost import estimated_bytes
from trimatte.batch._jobs import Job


def labels_of(image, trimap):
    return _check.labels(trimap, image.shape)


def small(name):
    """A picture of 24 x 31 pixels or less, with labels."""
    rng = np.random.default_rng(7)
    height, width = (24, 31) if name != "tiny" else (3, 3)
    labels = np.full((height, width), 2, np.uint8)
    labels[:, :3], labels[:, -4:] = 0, 1
    if name == "tiny":
        labels = np.array([[0, 2, 1], [2, 2, 2], [2, 2, 2]], np.uint8)
    channels = 1 if name == "grey" else 3
    image = {
        "flat": np.full((height, width, channels), 0.3),
        "two colours": np.broadcast_to(0.2 + 0.6 * (np.arange(width) > 15), (channels, height, width)).T,
    }.get(name, rng.random((height, width, channels)))
    return np.ascontiguousarray(image if image.shape[0] == height else image.swapaxes(0, 1)), labels


SMALL = ("noise", "grey", "flat", "two colours", "tiny")


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("options", [(20, 5, 0.01, 1.0), (3, 2, 0.5, 0.1)])
def test_the_operator_equals_the_reference(name, options):
    image, labels = small(name)
    K_CM, K_UU, unknown_flow, local_flow = options
    method = InformationFlow(
        mixture_neighbours=K_CM,
        unknown_neighbours=K_UU,
        unknown_flow=unknown_flow,
        local_flow=local_flow,
    )
    L = operator(method, image, labels)
    assert abs(L - information_flow.laplacian(image, labels, *options)).max() < LAPLACIAN


@pytest.mark.parametrize("name", SMALL)
def test_properties(name):
    image, labels = small(name)
    L = operator(InformationFlow(), image, labels).toarray()
    assert abs(L - L.T).max() < LAPLACIAN_NULL
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL
    assert np.linalg.eigvalsh(L).min() > -LAPLACIAN_NULL


@pytest.mark.parametrize("name", ["noise", "grey", "tiny"])
def test_the_known_to_unknown_flow_equals_the_reference(name):
    image, labels = small(name)
    expected, eta = information_flow.known_to_unknown(image, labels)
    found = InformationFlow(known_flow=0.5, trim=False).findings(image, labels, make_context(1, None))
    assert found.labels is labels
    term = found.data_term
    assert abs(term.alpha - expected).max() < ALPHA_PRIOR
    assert abs(term.confidence - 0.5 * eta).max() < ALPHA_PRIOR


def direct_solution(image, labels, prior=None, confidence=0.0, known_weight=None):
    """The minimum of the whole energy, from the reference, without trimming."""
    L = information_flow.laplacian(image, labels).toarray()
    beta, eta = (plane.ravel() for plane in information_flow.known_to_unknown(image, labels))
    unknown, m = (labels == 2).ravel(), (labels == 1).ravel().astype(float)
    C = np.where(unknown, 0.05 * eta + confidence, known_weight or 0)
    pull = np.where(unknown, 0.05 * eta * beta, C * m)
    pull += confidence * unknown * (0 if prior is None else prior.ravel())
    A = L + np.diag(C)
    if known_weight is None:
        x = m.copy()
        x[unknown] = np.linalg.solve(A[np.ix_(unknown, unknown)], (pull - L @ m)[unknown])
    else:
        x = np.linalg.solve(A, pull)
    return np.clip(x, 0, 1).reshape(labels.shape)


@pytest.mark.parametrize("known_weight", [None, 100.0])
@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize("name", ["noise", "grey"])
def test_alpha_is_the_minimum(name, with_prior, known_weight):
    image, labels = small(name)
    prior = np.random.default_rng(0).random(labels.shape) if with_prior else None
    expected = direct_solution(image, labels, prior, 0.02 if with_prior else 0.0, known_weight)
    method = InformationFlow(trim=False)
    options = {"prior": prior, "confidence": 0.02} if with_prior else {}
    trimap = np.array([0, 255, 128], np.uint8)[labels]
    alpha, info = tm.solve_alpha(
        image, trimap, method=method, known_weight=known_weight, solver="cholesky", **options
    )
    assert abs(alpha - expected).max() < ALPHA_PRIOR
    assert info.method == "information-flow"


def test_without_known_flow_there_is_no_data_term(noise):
    image, trimap = noise
    labels = labels_of(image, trimap)
    L = information_flow.laplacian(image, labels)
    expected = closed_form.solve_hard(L, trimap == 1, trimap == 0)
    for options in ({"known_flow": 0.0}, {"transparent": "yes"}):
        method = InformationFlow(trim=False, **options)
        alpha = tm.estimate_alpha(image, trimap, method=method, solver="cholesky")
        assert abs(alpha - expected).max() < ALPHA_DIRECT


@pytest.mark.parametrize("name", ["dandelion", "hair", "net", "glass"])
@pytest.mark.parametrize("solver", ["auto", "graph-multigrid", "cg"])
def test_iterative_solvers_equal_cholesky(name, solver):
    scene = getattr(tm.datasets, name)(120, 160, noise=0.01)
    image = np.round(scene.image * 255).astype(np.uint8)
    direct, other = (
        tm.estimate_alpha(image, scene.trimap, method="information-flow", solver=s) for s in ("cholesky", solver)
    )
    assert abs(other - direct).max() < ALPHA_TOLERANCE


def test_it_beats_closed_form_where_colours_repeat():
    scene = tm.datasets.net(120, 180, noise=0.01)
    flow, closed = (
        tm.metrics.sad(tm.estimate_alpha(scene.image, scene.trimap, method=m), scene.alpha)
        for m in ("information-flow", "closed-form")
    )
    assert flow < 0.95 * closed


def test_a_grey_picture_has_the_neighbours_of_its_copy_in_colour(scene):
    grey = scene.image.mean(axis=2)
    alpha, colour = (
        tm.estimate_alpha(image, scene.trimap, method="information-flow", local_flow=1e-6)
        for image in (grey, np.repeat(grey[..., None], 3, axis=2))
    )
    assert abs(alpha - colour).max() < 1e-2


@pytest.mark.parametrize("kind", [0, 1])
def test_one_kind_of_known_pixels(noise, kind):
    """Without a prior this is an error; with one, the known-to-unknown flow is left out."""
    image, trimap = noise
    trimap = np.where(trimap == kind, 0.5, trimap)
    with pytest.raises(ValueError, match="trimap: expected some"):
        tm.estimate_alpha(image, trimap, method="information-flow")
    prior = np.random.default_rng(0).random(trimap.shape)
    alpha = tm.estimate_alpha(image, trimap, method="information-flow", prior=tm.priors.PreviousFrame(prior))
    assert np.isfinite(alpha).all()


def test_few_scribbles(scene):
    trimap = np.full(scene.trimap.shape, 128, np.uint8)
    trimap[0, :2], trimap[-1, -1] = 0, 255
    alpha = tm.estimate_alpha(scene.image, trimap, method="information-flow")
    assert alpha[0, 0] == 0
    assert alpha[-1, -1] == 1
    assert np.isfinite(alpha).all()


def test_everything_may_be_trimmed():
    image = np.zeros((20, 30, 3))
    image[:, 15:] = 1
    trimap = np.full((20, 30), 128, np.uint8)
    trimap[:, :14], trimap[:, 16:] = 0, 255
    alpha, info = tm.solve_alpha(image, trimap, method="information-flow")
    assert (alpha == image[..., 0]).all()
    assert (info.solver, info.error_estimate) == ("none", 0)


def test_transparency_is_found():
    glass, hair = (
        unexplained(scene.image, labels_of(scene.image, scene.trimap))
        for scene in (make(120, 160, noise=0.01) for make in (tm.datasets.glass, tm.datasets.hair))
    )
    assert hair < MOST_UNEXPLAINED < glass


def test_a_batch_reckons_with_its_searches(scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tm.io.save_image("image.png", np.round(scene.image * 255).astype(np.uint8))
    tm.io.save_image("trimap.png", scene.trimap)
    flow, wide = (
        estimated_bytes(Job("image.png", {"alpha": "alpha.png"}, trimap="trimap.png", options=options))
        for options in ({"method": "information-flow"}, {"method": "closed-form", "radius": 3})
    )
    assert flow > wide


def test_it_is_a_value_that_says_what_a_solver_needs():
    one = InformationFlow(known_flow=np.float32(0.5), known_neighbours=np.int64(3))
    assert one == InformationFlow(known_flow=0.5, known_neighbours=3) == pickle.loads(pickle.dumps(one))
    assert (one.reach, one.smallest_image, one.near_null) == (None, 3, "constant")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mixture_neighbours": 0}, ValueError, "mixture_neighbours: expected at least 1, got 0"),
        ({"known_neighbours": 1000}, ValueError, "known_neighbours: expected"),
        ({"known_flow": -1}, ValueError, "known_flow: expected a number from 0 to 1e.06, got -1"),
        ({"local_flow": 0}, ValueError, "local_flow: expected a number from 1e-06"),
        ({"transparent": "perhaps"}, ValueError, "transparent: expected one of no, yes, auto, got 'perhaps'"),
        ({"trim": "x"}, TypeError, "trim: expected"),
        ({"solver": "multigrid"}, ValueError, "solver: multigrid needs an affinity whose reach"),
    ],
)
def test_nonsense_is_refused(noise, options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(*noise, method="information-flow", **options)


def test_small_pictures_are_refused():
    with pytest.raises(ValueError, match="image: expected at least 3 x 3"):
        tm.estimate_alpha(np.zeros((2, 5, 3)), np.array([[0, 0.5, 0.5, 0.5, 1]] * 2), method="information-flow")


def test_progress_and_its_end(scene):
    phases = []
    tm.estimate_alpha(
        scene.image, scene.trimap, method="information-flow", progress=lambda phase, _: phases.append(phase)
    )
    _, info = tm.solve_alpha(scene.image, scene.trimap, method="information-flow")
    assert {"trim", "known to unknown", "neighbours", "laplacian"} <= set(info.seconds)

    def stop(phase, fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tm.estimate_alpha(scene.image, scene.trimap, method="information-flow", progress=stop)


@dataclass(frozen=True)
class Opinion(Affinity):
    """Closed-form matting that says more by itself, as a user could write it."""

    reach = 2
    near_null = "colours"
    says: object = None
    knows: object = None

    def laplacian(self, image, labels, context):
        return closed_form.laplacian(image)

    def findings(self, image, labels, context):
        known = labels if self.knows is None else self.knows(labels)
        return Findings(known, None if self.says is None else DataTerm(*self.says))


def test_anybodys_affinity_may_say_more(noise):
    image, trimap = noise
    planes = np.random.default_rng(1).random((2, *trimap.shape)).astype(np.float32)
    own = tm.estimate_alpha(image, trimap, method=Opinion(says=tuple(planes)))
    as_prior = tm.estimate_alpha(image, trimap, method=Opinion(), prior=planes[0], confidence=planes[1])
    assert (own == as_prior).all()
    both = tm.estimate_alpha(
        image, trimap, method=Opinion(says=tuple(planes)), prior=planes[0], confidence=planes[1]
    )
    twice = tm.estimate_alpha(image, trimap, method=Opinion(), prior=planes[0], confidence=2 * planes[1])
    assert abs(both - twice).max() < ALPHA_PRIOR

    def middle(labels):
        known = labels.copy()
        known[5, 5] = 1
        return known

    assert tm.estimate_alpha(image, trimap, method=Opinion(knows=middle))[5, 5] == 1


@pytest.mark.parametrize(
    ("opinion", "error", "message"),
    [
        (Opinion(says=(np.zeros((2, 2)), np.zeros((2, 2)))), ValueError, "Opinion.findings: expected shape"),
        (
            Opinion(knows=lambda labels: labels * 0.5),
            TypeError,
            "Opinion.findings: expected uint8 labels of shape",
        ),
        (
            Opinion(knows=lambda labels: 2 - labels // 2),
            ValueError,
            "Opinion.findings: expected 0, 1 or 2, and known",
        ),
    ],
)
def test_an_impossible_opinion_is_refused(noise, opinion, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(*noise, method=opinion)
