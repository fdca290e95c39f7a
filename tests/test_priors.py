import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from reference import closed_form, sampling
from scipy.ndimage import binary_dilation, distance_transform_edt
from tolerances import (
    ALPHA_PRIOR,
    ALPHA_TOLERANCE,
    SAMPLING_COST,
)

import trimatte as tm
from trimatte import priors
from trimatte.priors._base import checked

NAMES = ["composite-network", "sampling", "shared-sampling", "robust", "patch-network", "patch-regression"]
QUICK = {
    "composite-network": priors.CompositeNetwork(hidden=(16, 16), steps=60),
    "sampling": priors.GlobalSampling(sweeps=2),
    "shared-sampling": priors.SharedSampling(),
    "robust": priors.Robust(
        network=priors.CompositeNetwork(hidden=(16,), steps=60), sampling=priors.GlobalSampling(sweeps=2)
    ),
    "patch-network": priors.PatchNetwork(hidden=(16,), steps=60),
    "patch-regression": priors.PatchRegression(),
}


@pytest.fixture(scope="module")
def picture():
    return tm.datasets.hair(96, 120, seed=2)


def direct(image, trimap, prior, confidence, known_weight=None):
    """The minimum of x'Lx + sum of c (x - prior)^2 by scipy, known pixels exact or soft."""
    L = scipy.sparse.csr_matrix(closed_form.laplacian(image))
    known = (trimap != 0.5).ravel()
    C = scipy.sparse.diags(np.where(known, 0, confidence.ravel()))
    rhs = C @ prior.ravel()
    m = (trimap == 1).ravel().astype(float)
    if known_weight:
        D = scipy.sparse.diags(known.astype(float) * known_weight)
        return scipy.sparse.linalg.spsolve((L + C + D).tocsc(), rhs + D @ m).reshape(trimap.shape)
    A = (L + C)[~known][:, ~known].tocsc()
    x = m.copy()
    x[~known] = scipy.sparse.linalg.spsolve(A, rhs[~known] - (L @ m)[~known])
    return x.reshape(trimap.shape)


@pytest.mark.parametrize("known_weight", [None, 10.0])
@pytest.mark.parametrize("solver", ["cholesky", "multigrid", "cg"])
def test_the_system_with_a_prior_equals_scipys(noise, solver, known_weight):
    image, trimap = noise
    rng = np.random.default_rng(1)
    prior, confidence = rng.random(trimap.shape), 10 ** rng.uniform(-4, 1, trimap.shape)
    confidence[12:16] = 0
    expected = np.clip(direct(image, trimap, prior, confidence, known_weight), 0, 1)
    options = {"tolerance": 1e-6, "relative_residual": 1e-10}
    alpha = tm.estimate_alpha(
        image, trimap, prior=prior, confidence=confidence, solver=solver, known_weight=known_weight, **options
    )
    assert abs(alpha - expected).max() < ALPHA_PRIOR
    if known_weight is None:
        known = trimap != 0.5
        assert (alpha[known] == trimap[known]).all()


def test_a_prior_at_larger_radius(noise):
    image, trimap = noise
    prior = np.full(trimap.shape, 0.25)
    free = tm.estimate_alpha(image, trimap, radius=2, method="closed-form")
    held = tm.estimate_alpha(image, trimap, radius=2, prior=prior, confidence=1e6)
    assert abs(free - 0.25)[trimap == 0.5].max() > 0.1
    assert abs(held - 0.25)[trimap == 0.5].max() < 1e-4


def test_confidence_says_how_much_the_prior_counts(picture):
    prior = np.full(picture.trimap.shape, 0.5)
    unknown = picture.trimap == 128
    free = tm.estimate_alpha(picture.image, picture.trimap, method="closed-form")
    distance = [
        abs(tm.estimate_alpha(picture.image, picture.trimap, prior=prior, confidence=c) - free)[unknown].mean()
        for c in (0, 1e-4, 1e-2, 1)
    ]
    assert distance[0] < ALPHA_TOLERANCE
    assert distance == sorted(distance)
    assert distance[-1] > 0.1


def test_a_number_is_the_same_as_a_plane_of_it(picture):
    prior = np.linspace(0, 1, picture.trimap.size).reshape(picture.trimap.shape)
    a = tm.estimate_alpha(picture.image, picture.trimap, prior=prior, confidence=1e-2)
    b = tm.estimate_alpha(
        picture.image, picture.trimap, prior=prior, confidence=np.full(prior.shape, 1e-2, np.float32)
    )
    assert (a == b).all()


def test_with_a_prior_nothing_need_be_known(picture):
    trimap = np.full(picture.trimap.shape, 0.5)
    alpha = tm.estimate_alpha(picture.image, trimap, prior=picture.alpha, confidence=1)
    assert abs(alpha - picture.alpha).mean() < 0.05
    only_background = np.where(picture.trimap == 0, 0, 0.5)
    alpha = tm.estimate_alpha(picture.image, only_background, prior=priors.SoftMask(picture.alpha, weight=1))
    assert abs(alpha - picture.alpha).mean() < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_every_prior_helps_or_stands_alone(picture, name):
    unknown = picture.trimap == 128

    def error(alpha):
        return abs(alpha - picture.alpha)[unknown].mean()

    alone, info = tm.solve_alpha(picture.image, picture.trimap, method=name)
    assert info.solver == "none"
    assert info.prior == name
    assert (alone[~unknown] == picture.trimap[~unknown] / 255).all()
    assert error(alone) < 0.25 < error(np.full(alone.shape, 1.0))
    with_prior, info = tm.solve_alpha(picture.image, picture.trimap, prior=name)
    assert (info.prior, info.method) == (name, "auto")
    assert error(with_prior) < error(alone)


def test_best_is_closed_form_with_the_fusion_prior(picture):
    best, info = tm.solve_alpha(picture.image, picture.trimap, method="best", seed=5)
    assert (info.method, info.prior) == ("best", "fusion")
    same = tm.estimate_alpha(picture.image, picture.trimap, prior=priors.Fusion(seed=5), settle=True)
    assert (best == same).all()
    unknown = picture.trimap == 128
    plain = tm.estimate_alpha(picture.image, picture.trimap, method="closed-form")
    assert abs(best - picture.alpha)[unknown].mean() < abs(plain - picture.alpha)[unknown].mean()


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bits_for_any_number_of_threads(picture, name, grey):
    image = picture.image[..., 1] if grey else picture.image
    prior = QUICK[name]
    one = prior.estimate(image, picture.trimap, threads=1)
    for threads in (2, 7):
        many = prior.estimate(image, picture.trimap, threads=threads)
        assert (one.alpha == many.alpha).all()
        assert (one.confidence == many.confidence).all()
    assert one.alpha.min() >= 0
    assert one.alpha.max() <= 1
    assert (one.confidence >= 0).all()
    assert one.alpha.std() > 0.1


@pytest.mark.parametrize("name", ["composite-network", "sampling", "robust", "patch-network"])
def test_another_seed_is_another_result(picture, name):
    def alone(seed):
        return tm.estimate_alpha(picture.image, picture.trimap, method=name, seed=seed)

    assert (alone(1) == alone(1)).all()
    assert (alone(1) != alone(2)).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_priors_take_every_dtype(picture, dtype):
    top = np.iinfo(dtype).max if dtype != np.float64 else 1
    image = np.round(picture.image.astype(np.float64) * 255) / 255
    expected = QUICK["sampling"].estimate(image.astype(np.float32), picture.trimap).alpha
    found = QUICK["sampling"].estimate(np.round(image * top).astype(dtype) if top > 1 else image, picture.trimap)
    assert abs(found.alpha - expected).mean() < 0.02


# --- sampling


def test_sampling_finds_nearly_the_best_pairs():
    scene = tm.datasets.hair(40, 48, seed=3)
    image = scene.image.astype(np.float64)
    unknown = scene.trimap == 128
    touching = binary_dilation(unknown, np.ones((3, 3)))
    candidates = [np.argwhere(touching & (scene.trimap == value)) for value in (255, 0)]
    distances = [distance_transform_edt(scene.trimap != value) for value in (255, 0)]
    arguments = checked(scene.image, scene.trimap, None, None)
    hasty = priors.GlobalSampling(sweeps=1).sample(*arguments)
    found = priors.GlobalSampling(sweeps=20).sample(*arguments)
    excess, hasty_excess = [], []
    for y, x in np.argwhere(unknown)[::7]:
        cost, alpha = sampling.sampling_cost(image, y, x, *candidates, [d[y, x] for d in distances])
        assert found.cost[y, x] > cost.min() - SAMPLING_COST
        pair = np.unravel_index(np.argmin(abs(cost - found.cost[y, x])), cost.shape)
        assert abs(cost[pair] - found.cost[y, x]) < SAMPLING_COST
        near = abs(cost - found.cost[y, x]) < SAMPLING_COST
        assert abs(alpha[near] - found.alpha[y, x]).min() < 1e-3
        excess.append(found.cost[y, x] - cost.min())
        hasty_excess.append(hasty.cost[y, x] - cost.min())
    assert np.median(excess) < 0.5
    assert np.median(excess) < 0.5 * np.median(hasty_excess)


# --- where colours are few or unheard of


def test_the_robust_prior_does_not_trust_colours_that_no_known_ones_explain():
    rng = np.random.default_rng(0)
    image = np.full((80, 80, 3), [0.2, 0.3, 0.8])
    image[:40] = [0.8, 0.2, 0.2]
    image[30:50, 20:60] = [0.3, 0.8, 0.5]  # seen nowhere else
    image = (image + rng.normal(0, 0.002, image.shape)).clip(0, 1)
    trimap = np.full((80, 80), 0.5)
    trimap[:25], trimap[65:] = 1, 0
    new = np.zeros((80, 80), bool)
    new[32:48, 22:58] = True
    usual = (trimap == 0.5) & ~new
    usual[28:52, 18:62] = False
    network = priors.CompositeNetwork().estimate(image, trimap).confidence
    robust = priors.Robust().estimate(image, trimap).confidence
    assert robust[new].mean() < 0.02 * network[new].mean()
    assert robust[usual].mean() > 0.5 * network[usual].mean()


def test_priors_without_known_pixels_nearby():
    """Known pixels farther than `reach` from the unknown ones, and one colour only."""
    image = np.zeros((60, 60, 3))
    image[:, 30:] = 1
    trimap = np.full((60, 60), 0.5)
    trimap[0, 0], trimap[0, 59] = 0, 1
    for name in ("composite-network", "sampling", "shared-sampling", "robust"):
        alpha = QUICK[name].estimate(image, trimap).alpha
        assert np.isfinite(alpha).all()


# --- bad input


def test_priors_refuse_what_they_cannot_use(picture):
    image, trimap = picture.image, picture.trimap
    shape = trimap.shape
    cases = [
        ({"prior": "magic"}, ValueError, "prior: expected one of fusion, .*got 'magic'"),
        ({"prior": np.zeros((3, 3))}, ValueError, r"prior: expected shape \(96, 120\)"),
        ({"prior": np.full(shape, 1.5)}, ValueError, r"prior: expected values in \[0, 1\], got 1.5"),
        ({"prior": np.full(shape, np.nan)}, ValueError, r"prior: expected values in \[0, 1\], got nan"),
        ({"confidence": 1.0}, ValueError, "confidence: expected a prior beside it"),
        ({"prior": picture.alpha, "confidence": -1.0}, ValueError, "confidence: expected a number from 0"),
        ({"prior": picture.alpha, "confidence": np.nan}, ValueError, "confidence: expected a finite number"),
        (
            {"prior": picture.alpha, "confidence": np.full(shape, np.nan)},
            ValueError,
            r"confidence: expected numbers from 0 to 1e12, got nan at \(0, 0\)",
        ),
        ({"prior": picture.alpha, "confidence": np.full(shape, -1.0)}, ValueError, "confidence: .*got -1.0"),
        ({"prior": picture.alpha, "confidence": np.ones((2, 2))}, ValueError, r"confidence: .*got \(2, 2\)"),
        ({"prior": picture.alpha, "confidence": "much"}, TypeError, "confidence: expected"),
        ({"prior": "sampling", "seed": -1}, ValueError, "seed: expected at least 0"),
        ({"method": "sampling", "prior": "sampling"}, ValueError, "prior: expected none with method"),
        ({"method": "sampling", "confidence": 1.0}, ValueError, "confidence: expected a prior beside it"),
        ({"method": "best", "prior": picture.alpha}, ValueError, "prior: expected none with method"),
    ]
    for options, error, message in cases:
        with pytest.raises(error, match=message):
            tm.estimate_alpha(image, trimap, **options)


def test_a_prior_of_no_weight_needs_known_pixels(picture):
    trimap = np.full(picture.trimap.shape, 0.5)
    with pytest.raises(ValueError, match="confidence: expected some above 0"):
        tm.estimate_alpha(picture.image, trimap, prior=picture.alpha, confidence=0)
    with pytest.raises(ValueError, match="trimap: expected some foreground"):
        tm.estimate_alpha(picture.image, trimap, prior="sampling")


@pytest.mark.parametrize("name", NAMES)
def test_too_little_is_known(picture, name):
    trimap = np.where(picture.trimap == 255, 128, picture.trimap)
    with pytest.raises(ValueError, match=r"trimap: expected at least \d+ foreground pixels?.* got 0"):
        QUICK[name].estimate(picture.image, trimap)


def test_a_network_says_how_many_pixels_it_needs(picture):
    trimap = np.where(picture.trimap == 255, 128, picture.trimap)
    trimap[0, :5] = 255
    with pytest.raises(ValueError, match="trimap: expected at least 16 foreground pixels to train on, got 5"):
        tm.estimate_alpha(picture.image, trimap, method="patch-network")


@pytest.mark.parametrize("kind", [priors.PatchRegression, priors.PatchNetwork])
def test_patches_larger_than_the_image(kind):
    trimap = np.zeros((7, 9))
    trimap[:, 3:6], trimap[:, 6:] = 0.5, 1
    with pytest.raises(ValueError, match=r"radius: expected patches no larger than the image \(7, 9\), got 9 x 9"):
        kind(radius=4).estimate(np.zeros((7, 9, 3)), trimap)


def test_models_refuse_pictures_of_another_kind(picture):
    grey = picture.image[..., 0]
    for prior in (priors.PatchRegression(), QUICK["patch-network"]):
        model = prior.fit(picture.image, picture.trimap)
        with pytest.raises(ValueError, match="image: expected 3 channels as in the training, got 1"):
            model.predict(grey)
    model = priors.PatchNetwork(hidden=(8,), steps=10, features=("distance",)).fit(picture.image, picture.trimap)
    with pytest.raises(ValueError, match="trimap: expected at least 1 foreground pixel to measure distances to"):
        model.predict(picture.image, np.minimum(picture.trimap, 128))
    with pytest.raises(ValueError, match="trimap: expected one, since the network was trained on distances"):
        model.predict(picture.image)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: priors.CompositeNetwork(hidden=(0,)), ValueError, "hidden: expected at least 1"),
        (lambda: priors.CompositeNetwork(hidden=[4]), TypeError, "hidden: expected a tuple"),
        (lambda: priors.CompositeNetwork(gamma=0), ValueError, "gamma: expected a number from 0.1"),
        (lambda: priors.CompositeNetwork(learning_rate=np.nan), ValueError, "learning_rate: expected a finite"),
        (lambda: priors.CompositeNetwork(steps=1.5), TypeError, "steps: expected an integer"),
        (lambda: priors.GlobalSampling(sweeps=-1), ValueError, "sweeps: expected at least 0"),
        (lambda: priors.PatchRegression(radius=-1), ValueError, "radius: expected at least 0"),
        (lambda: priors.PatchRegression(radius=6), ValueError, "radius: expected at most 5"),
        (lambda: priors.PatchRegression(ridge=-1), ValueError, "ridge: expected a number from 0"),
        (lambda: priors.PatchNetwork(features=("smell",)), ValueError, "features: expected one of position"),
        (lambda: priors.PatchNetwork(features="blur"), TypeError, "features: expected a tuple"),
        (lambda: priors.PatchNetwork(balanced=1), TypeError, "balanced: expected True or False, got int"),
        (lambda: priors.PatchNetwork(validation=1), ValueError, "validation: expected a number from 0 to 0.9"),
        (lambda: priors.Robust(floor=0), ValueError, "floor: expected a number from 1e-06"),
        (lambda: priors.SoftMask(np.zeros((2, 2)), weight=-1), ValueError, "weight: expected a number from 0"),
    ],
)
def test_options_out_of_range(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_progress_and_cancel(picture):
    seen = []

    def stop(phase, fraction):
        seen.append(phase)
        if phase == "network":
            raise RuntimeError("enough")

    prior = priors.CompositeNetwork(hidden=(256, 256), steps=100_000)
    with pytest.raises(RuntimeError, match="enough"):
        prior.estimate(picture.image, picture.trimap, progress=stop)
    assert seen[-1] == "network"
    assert list(tm.solve_alpha(picture.image, picture.trimap, prior=QUICK["robust"]).info.seconds)[:3] == [
        "network",
        "prediction",
        "sampling",
    ]


def test_a_call_after_one_that_was_stopped(picture):
    """A prior that survives the first callback's exception goes on with the same monitor."""
    calls = []

    def stop_once(phase, fraction):
        calls.append(phase)
        if len(calls) == 1:
            raise RuntimeError("enough")

    class Stubborn(priors.Prior):
        def guess(self, image, labels, context):
            with pytest.raises(RuntimeError, match="enough"):
                QUICK["patch-regression"].guess(image, labels, context)
            return QUICK["sampling"].guess(image, labels, context)

    alpha = tm.estimate_alpha(picture.image, picture.trimap, prior=Stubborn(), progress=stop_once)
    assert (alpha == tm.estimate_alpha(picture.image, picture.trimap, prior=QUICK["sampling"])).all()


@pytest.mark.filterwarnings("ignore:trimap. no pixel is unknown")
@pytest.mark.parametrize("name", NAMES)
def test_a_trimap_without_unknown_pixels_comes_back(picture, name):
    for trimap in (np.ones(picture.trimap.shape), np.zeros(picture.trimap.shape), picture.alpha > 0.5):
        for options in ({"method": name}, {"prior": name}, {"method": "best"}):
            assert (tm.estimate_alpha(picture.image, trimap, **options) == trimap).all()


def test_strokes_far_away_in_a_corner():
    """Known pixels that are dense and far from most of the unknown ones."""
    rng = np.random.default_rng(0)
    image = rng.random((300, 400, 3), dtype=np.float32)
    trimap = np.full((300, 400), 128, np.uint8)
    trimap[:50, :25], trimap[:50, 25:50] = 255, 0
    guess = priors.CompositeNetwork(hidden=(8,), steps=1).estimate(image, trimap)
    assert np.isfinite(guess.alpha).all()


def test_unbalanced_training_knows_the_true_shares():
    """Flat colour: all that can be learned is how much foreground there is."""
    trimap = np.zeros((1000, 1500), np.uint8)
    trimap[:400], trimap[400] = 255, 128  # more than a network takes examples of either
    image = np.full((1000, 1500), 0.5, np.float32)
    prior = priors.PatchNetwork(radius=0, hidden=(4,), balanced=False, steps=400, learning_rate=0.01)
    assert prior.estimate(image, trimap).alpha[400].mean() == pytest.approx(0.4, abs=0.05)


def test_own_priors(picture):
    class Half(priors.Prior):
        needs_known = False

        def guess(self, image, labels, context):
            return priors.Guess(np.full(labels.shape, 0.5, np.float32), np.full(labels.shape, 1e6, np.float32))

    alpha, info = tm.solve_alpha(picture.image, picture.trimap, prior=Half())
    assert abs(alpha - 0.5)[picture.trimap == 128].max() < 1e-3
    assert info.prior == "Half"
