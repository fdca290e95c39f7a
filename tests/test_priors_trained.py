"""Priors that are trained on a picture's own known pixels: networks and patch regression."""

import pickle

import numpy as np
import pytest
from reference import network, patches
from tolerances import GRADIENT, NETWORK, REGRESSION

import trimatte as tm
from trimatte import _core, priors
from trimatte.priors import patch_network


@pytest.fixture(scope="module")
def picture():
    return tm.datasets.hair(96, 120, seed=2)


# --- networks


def test_fifty_steps_equal_numpys():
    rng = np.random.default_rng(3)
    sizes = [7, 20, 33, 1]
    net = _core.Network(sizes)
    net.initialise(11, 1.0, 0.5)
    twin = network.Network([net.layer(i) for i in range(3)])
    trainer = _core.Trainer(net, 150, 2)
    for step in range(50):
        x = rng.normal(size=(150, 7)).astype(np.float32)
        target = rng.random(150).astype(np.float32)
        rate = 1e-3 * (1 - step / 100)
        loss = trainer.step(x, target, rate, _core.Monitor(None))
        assert loss == pytest.approx(twin.loss(x, target), rel=NETWORK)
        twin.step(x, target, rate)
    for i in range(3):
        W, b = net.layer(i)
        assert abs(W - twin.parameters[2 * i]).max() < NETWORK
        assert abs(b - twin.parameters[2 * i + 1]).max() < NETWORK


def test_the_twins_gradient_is_that_of_differences():
    rng = np.random.default_rng(4)
    net = _core.Network([3, 5, 4, 1])
    net.initialise(0, 1.0, 0.5)
    twin = network.Network([net.layer(i) for i in range(3)])
    x, target = rng.normal(size=(20, 3)), rng.random(20)
    for p, g in zip(twin.parameters, twin.gradients(x, target), strict=True):
        for where in np.ndindex(p.shape):
            kept = p[where]
            p[where] = kept + 1e-6
            above = twin.loss(x, target)
            p[where] = kept - 1e-6
            below = twin.loss(x, target)
            p[where] = kept
            assert g[where] == pytest.approx((above - below) / 2e-6, abs=GRADIENT)


def test_first_weights_have_the_variance_of_he():
    net = _core.Network([400, 300, 1])
    net.initialise(1, 0.1, 0.5)
    W, b = net.layer(0)
    assert W.var() == pytest.approx(2 / 400, rel=0.02)
    assert abs(W.mean()) < 1e-3
    assert (b == 0).all()
    last, bias = net.layer(1)
    assert last.std() == pytest.approx(0.1 * np.sqrt(2 / 300), rel=0.2)
    assert bias == 0.5


def test_a_patch_networks_answer_is_its_layers_applied_to_patches(picture):
    model = priors.PatchNetwork(hidden=(24, 8), steps=100, features=("position", "blur")).fit(
        picture.image, picture.trimap
    )
    known = picture.trimap != 128
    planes = [picture.image[..., c] for c in range(3)]
    extra = patch_network._feature_planes(("position", "blur"), picture.image, None)
    scaled = [(p - p[known].mean()) / max(p[known].std(), 1e-3) for p in [*planes, *extra]]
    x = np.concatenate([patches.patches(np.stack(scaled[:3], 2), 2), np.stack(scaled[3:], 2)], axis=2)
    twin = network.Network(model.layers)
    expected = twin.outputs(x.reshape(-1, x.shape[2]))[-1].reshape(picture.trimap.shape)
    assert abs(model.predict(picture.image) - np.clip(expected, 0, 1)).max() < 1e-4
    only_unknown = model.predict(picture.image, picture.trimap)
    assert (only_unknown[~known] == model.predict(picture.image)[~known]).all()
    assert (only_unknown[known] == picture.trimap[known] / 255).all()


def test_a_trained_model_can_be_pickled(picture):
    network = priors.PatchNetwork(hidden=(24, 8), steps=60, features=("blur",))
    for prior in (network, priors.PatchRegression()):
        model = prior.fit(picture.image, picture.trimap)
        again = pickle.loads(pickle.dumps(model))
        assert (again.predict(picture.image) == model.predict(picture.image)).all()


def test_a_trained_model_prints_in_one_line(picture):
    model = priors.PatchNetwork(hidden=(8,), steps=100).fit(picture.image, picture.trimap)
    assert repr(model) == "PatchNetworkModel(radius=2, features=(), steps=100)"


def test_training_stops_early_and_keeps_the_best_weights(picture):
    options = {"hidden": (64,), "learning_rate": 0.05, "steps": 20_000, "patience": 2}
    model = priors.PatchNetwork(**options).fit(picture.image, picture.trimap)
    losses = model.validation_loss
    assert model.steps < 20_000
    assert len(losses) == model.steps // 50 == len(model.training_loss)
    assert losses.index(min(losses)) == len(losses) - 3
    unstopped = priors.PatchNetwork(hidden=(8,), steps=120, validation=0).fit(picture.image, picture.trimap)
    assert unstopped.steps == 120
    assert unstopped.validation_loss == []
    assert len(unstopped.training_loss) == 3


def test_balanced_training_hears_the_smaller_kind(picture):
    """Four foreground pixels in ten thousand: unbalanced, the network learns to say 0."""
    trimap = np.zeros(picture.trimap.shape)
    image = np.full((*trimap.shape, 3), 0.4) + np.random.default_rng(0).normal(0, 0.2, (*trimap.shape, 3)).clip(
        -0.4, 0.6
    )
    trimap[40:44, 40:44] = 1
    image[40:80, 40:80] += 0.15
    image = image.clip(0, 1)
    trimap[60:80, 40:80] = 0.5

    def mean(balanced):
        prior = priors.PatchNetwork(hidden=(16,), steps=300, balanced=balanced, patience=100)
        return prior.estimate(image, trimap).alpha[60:80, 40:80].mean()

    assert mean(True) > 2 * mean(False)


# --- patch regression


@pytest.mark.parametrize("ridge", [0.0, 1e-3])
@pytest.mark.parametrize(("radius", "grey"), [(0, False), (1, True), (2, False), (3, False)])
def test_regression_equals_the_pseudo_inverse(picture, radius, grey, ridge):
    image = picture.image.astype(np.float64)
    image = image[..., :1] if grey else image
    known = picture.trimap != 128
    expected = patches.regression(image, picture.trimap / 255, known, radius, ridge)
    prior = priors.PatchRegression(radius=radius, ridge=ridge)
    model = prior.fit(image if not grey else image[..., 0], picture.trimap)
    found = np.append(model.weights.ravel(), model.bias)
    assert abs(found - expected).max() < REGRESSION * abs(expected).max()
    rows = patches.patches(image, radius)
    alpha = np.clip(rows @ expected[:-1] + expected[-1], 0, 1)
    assert abs(model.predict(image if not grey else image[..., 0]) - alpha).max() < 1e-6
    guess = prior.estimate(image if not grey else image[..., 0], picture.trimap).alpha
    assert abs(guess - alpha)[~known].max() < 1e-6


def test_regression_on_flat_colour_is_the_shortest_solution():
    image = np.full((30, 40, 3), 0.25)
    image[:, 20:] = [0.5, 0.75, 1]
    trimap = np.full((30, 40), 0.5)
    trimap[:, :10], trimap[:, 30:] = 0, 1
    known = trimap != 0.5
    expected = patches.regression(image, trimap, known, 2)
    model = priors.PatchRegression().fit(image, trimap)
    assert abs(np.append(model.weights.ravel(), model.bias) - expected).max() < 1e-10
    assert abs(model.predict(image)[known] - trimap[known]).max() < 1e-6


def test_one_frames_model_on_another(picture):
    """The camera has moved by three pixels."""
    moved = np.roll(picture.image, 3, axis=1)
    for prior in (priors.PatchRegression(), priors.PatchNetwork(steps=200)):
        model = prior.fit(picture.image, picture.trimap)
        expected = np.roll(model.predict(picture.image), 3, axis=1)
        assert (model.predict(moved)[:, 5:-2] == expected[:, 5:-2]).all()


def test_two_percent_of_known_pixels_are_enough_to_fit(picture):
    keep = np.random.default_rng(0).random(picture.trimap.shape) < 0.02
    trimap = np.where(keep, picture.trimap, 128).astype(np.uint8)
    model = priors.PatchRegression().fit(picture.image, trimap)
    full = priors.PatchRegression().fit(picture.image, picture.trimap)
    known = picture.trimap != 128

    def error(m):
        return abs(m.predict(picture.image) - picture.alpha)[known].mean()

    assert error(model) < 2 * error(full) + 0.05
