"""What `estimate_alpha` takes as image, trimap and options, what it refuses, and what it warns of."""

import numpy as np
import pytest
from tolerances import ALPHA_FLOAT32

import trimatte as tm


class TestArrays:
    """Every way of storing the same numbers gives the same answer."""

    @pytest.fixture
    def eighths(self, noise):
        """A picture whose numbers every float has exactly."""
        image, trimap = noise
        return np.round(image * 256) / 256, trimap

    def test_floats(self, eighths):
        image, trimap = eighths
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        assert alpha.dtype == np.float64
        single = tm.estimate_alpha(image.astype(np.float32), trimap.astype(np.float32), method="closed-form")
        assert single.dtype == np.float32
        assert abs(single - alpha).max() < ALPHA_FLOAT32
        assert (tm.estimate_alpha(image.astype(np.float16), trimap, method="closed-form") == single).all()

    def test_integers(self, noise):
        image, trimap = noise
        eight = np.round(image * 255).astype(np.uint8)
        alpha = tm.estimate_alpha(eight / 255, trimap, method="closed-form")
        for array in (eight, eight.astype(np.uint16) * 257, eight.astype(">u2") * np.array(257, ">u2")):
            assert abs(tm.estimate_alpha(array, trimap, method="closed-form") - alpha).max() < ALPHA_FLOAT32

    def test_layouts(self, noise):
        image, trimap = noise
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        read_only = image.copy()
        read_only.setflags(write=False)
        wide = np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)
        for same in (
            np.asfortranarray(image),
            np.frombuffer(b"-" + image.tobytes(), offset=1).reshape(image.shape),
            read_only,
            wide[::2, ::3],
            image.astype(">f8"),
            image.tolist(),
        ):
            assert (tm.estimate_alpha(same, trimap, method="closed-form") == alpha).all()
        for same in (
            np.asfortranarray(trimap),
            trimap.astype(">f4"),
            trimap[..., None],
            trimap.astype(np.longdouble),
        ):
            assert (tm.estimate_alpha(image, same, method="closed-form") == alpha).all()

    def test_inputs_are_not_changed(self, noise):
        image, trimap = noise
        image_before, trimap_before = image.copy(), trimap.copy()
        tm.estimate_alpha(image, trimap, method="closed-form")
        assert (image == image_before).all()
        assert (trimap == trimap_before).all()

    def test_grey_with_and_without_a_third_axis(self, noise):
        image, trimap = noise
        grey = image[..., 0]
        assert (
            tm.estimate_alpha(grey, trimap, method="closed-form")
            == tm.estimate_alpha(grey[..., None], trimap, method="closed-form")
        ).all()


class TestTrimaps:
    def test_colours_that_are_grey(self, noise):
        image, trimap = noise
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        eight = np.round(trimap * 255).astype(np.uint8)
        opaque = np.full_like(eight, 255)
        for same in (
            np.stack([eight] * 3, axis=-1),
            np.stack([eight, eight, eight, opaque], axis=-1),
            np.stack([eight, opaque], axis=-1),
        ):
            assert (tm.estimate_alpha(image, same, method="closed-form") == alpha).all()

    def test_thresholds(self, noise):
        image, trimap = noise
        many = np.where(trimap == 0.5, 0.3, np.where(trimap == 1, 0.8, 0.2))
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        same = tm.estimate_alpha(
            image, many, background_threshold=0.2, foreground_threshold=0.8, method="closed-form"
        )
        assert (same == alpha).all()
        at_defaults = np.where(trimap == 0.5, 0.5, np.where(trimap == 1, 0.9, 0.1))
        assert (tm.estimate_alpha(image, at_defaults, method="closed-form") == alpha).all()

    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64])
    def test_nothing_unknown(self, dtype):
        trimap = np.zeros((7, 9), dtype)
        trimap[2:4] = 255 if dtype == np.uint8 else 1
        with pytest.warns(tm.TrimatteWarning, match="trimap: no pixel is unknown, .*matte_from_mask"):
            alpha, info = tm.solve_alpha(np.random.default_rng(0).random((7, 9, 3)), trimap, method="closed-form")
        assert (alpha == (trimap > 0)).all()
        assert info.solver == "none"

    @pytest.mark.parametrize(("value", "kind"), [(0, "background"), (1, "foreground")])
    def test_all_of_one_kind(self, value, kind):
        message = f"trimap: no pixel is unknown, all are {kind}, so that alpha is {value} everywhere"
        with pytest.warns(tm.TrimatteWarning, match=message):
            alpha = tm.estimate_alpha(np.zeros((7, 9, 3)), np.full((7, 9), float(value)), method="closed-form")
        assert (alpha == value).all()

    @pytest.mark.parametrize(
        ("trimap", "message"),
        [
            (np.full((7, 9), 0.5), "trimap: expected some foreground and some background, got only unknown"),
            (np.tile([0.5, 0, 0], (7, 3)), "trimap: expected some foreground pixels, got none"),
            (np.tile([0.5, 1, 1], (7, 3)), "trimap: expected some background pixels, got none"),
        ],
    )
    def test_too_little_known(self, trimap, message):
        with pytest.raises(ValueError, match=message):
            tm.estimate_alpha(np.zeros((7, 9, 3)), trimap, method="closed-form")

    @pytest.mark.parametrize("top", [1, 2])
    def test_integer_labels_are_refused(self, noise, top):
        image, trimap = noise
        with pytest.raises(ValueError, match=f"trimap: expected uint8 values up to 255, got labels up to {top}"):
            tm.estimate_alpha(image, (trimap * top).astype(np.uint8), method="closed-form")

    @pytest.mark.parametrize("name", ["trimap", "prior", "start"])
    def test_eight_bit_values_in_sixteen_bits_are_refused(self, noise, name):
        image, trimap = noise
        planes = {name: np.round(trimap * 255).astype(np.uint16)}
        message = f"{name}: expected uint16 values up to 65535, got 8-bit values up to 255; convert them to uint8"
        with pytest.raises(ValueError, match=message):
            tm.estimate_alpha(image, **{"trimap": trimap, **planes})
        with pytest.raises(ValueError, match=f"{name}: .* got labels up to 2; scale them so that 65535 is white"):
            tm.estimate_alpha(image, **{"trimap": trimap, name: (trimap * 2).astype(np.uint16)})

    def test_colours_and_transparency_are_refused(self, noise):
        image, trimap = noise
        coloured = np.stack([trimap, trimap, trimap * 0.5], axis=-1)
        with pytest.raises(ValueError, match=r"trimap: expected grey .* coloured pixels"):
            tm.estimate_alpha(image, coloured, method="closed-form")
        transparent = np.stack([np.ones_like(trimap)] * 3 + [trimap], axis=-1)
        with pytest.raises(ValueError, match="trimap: expected an opaque picture"):
            tm.estimate_alpha(image, transparent, method="closed-form")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("image", lambda p, m: tm.estimate_alpha(m, p, method="closed-form")),
        ("trimap", lambda p, m: tm.estimate_alpha(p, m, method="closed-form")),
        ("trimap", lambda p, m: tm.estimate_alpha(p, m > 0.5, method="closed-form")),
        ("prior", lambda p, m: tm.estimate_alpha(p, p, prior=m)),
        ("confidence", lambda p, m: tm.estimate_alpha(p, p, prior=p, confidence=m)),
        ("start", lambda p, m: tm.estimate_alpha(p, p, start=m, method="closed-form")),
        ("mask", lambda p, m: tm.matte_from_mask(p, m)),
        ("foreground", lambda p, m: tm.trimap_from_strokes(m > 0.5, p)),
        ("alpha", lambda p, m: tm.estimate_foreground(p, m)),
        ("alpha", lambda p, m: tm.metrics.sad(m, p)),
        ("region", lambda p, m: tm.metrics.sad(p, p, region=m > 0.5)),
        ("known", lambda p, m: tm.closed_form_laplacian(p, known=m > 0.5)),
    ],
)
def test_masked_values_are_refused(name, call):
    plane = np.linspace(0, 1, 63).reshape(7, 9)
    with pytest.raises(TypeError, match=rf"{name}: expected an array without masked values, .*\.filled\(value\)"):
        call(plane, np.ma.masked_less(plane, 0.2))


def test_a_masked_array_without_masked_values_is_an_array(noise):
    image, trimap = noise
    np.testing.assert_array_equal(
        tm.estimate_alpha(np.ma.array(image), np.ma.array(trimap), method="closed-form"),
        tm.estimate_alpha(image, trimap, method="closed-form"),
    )


def with_value(value):
    image = np.full((7, 9, 3), 0.5)
    image[2, 4, 1] = value
    return image


GOOD = np.tile([0.0, 0.5, 1.0], (7, 3))


@pytest.mark.parametrize(
    ("image", "trimap", "error", "message"),
    [
        (
            np.zeros((7, 8, 3)),
            GOOD,
            ValueError,
            r"trimap: expected shape \(7, 8\) to match image, got \(7, 9\)",
        ),
        (np.zeros((7, 9, 3)), GOOD[:3], ValueError, r"trimap: expected shape \(7, 9\) .* got \(3, 9\)"),
        (
            np.zeros((7, 9, 4)),
            GOOD,
            ValueError,
            r"image: expected shape \(H, W, 3\).*got \(7, 9, 4\); pass image",
        ),
        (np.zeros((7, 9, 2)), GOOD, ValueError, r"image: expected shape .* got \(7, 9, 2\)"),
        (np.zeros((1, 7, 9, 3)), GOOD, ValueError, r"image: expected shape .* got \(1, 7, 9, 3\)"),
        (np.zeros(7), GOOD, ValueError, r"image: expected shape .* got \(7,\)"),
        (
            np.zeros((0, 9, 3)),
            GOOD[:0],
            ValueError,
            r"image: expected at least 3 x 3 pixels, got \(0, 9, 3\)",
        ),
        (
            np.zeros((2, 9, 3)),
            GOOD[:2],
            ValueError,
            r"image: expected at least 3 x 3 pixels, got \(2, 9, 3\)",
        ),
        (np.zeros((7, 9, 3)), GOOD[0], ValueError, r"trimap: expected shape \(H, W\), got \(9,\)"),
        (
            np.zeros((7, 9, 3), int),
            GOOD,
            TypeError,
            "image: expected uint8, uint16, or floating point .* got int64",
        ),
        (np.zeros((7, 9, 3), complex), GOOD, TypeError, "image: .* got complex128"),
        (np.zeros((7, 9, 3)), GOOD.astype(np.int8), TypeError, "trimap: expected .* got int8"),
        (with_value(np.nan), GOOD, ValueError, r"image: expected values in \[0, 1\], got nan at \(2, 4, 1\)"),
        (with_value(np.inf), GOOD, ValueError, r"image: .* got inf at \(2, 4, 1\)"),
        (with_value(-0.25), GOOD, ValueError, r"image: .* got -0.25 at \(2, 4, 1\)"),
        (
            with_value(255.0),
            GOOD,
            ValueError,
            r"image: .* got 255.0 at \(2, 4, 1\) \(divide 8-bit values by 255\)",
        ),
        (with_value(1.5), GOOD, ValueError, r"image: .* got 1.5 at \(2, 4, 1\) \(scene-linear\?"),
        (np.zeros((7, 9, 3)), with_value(np.nan)[..., 1], ValueError, r"trimap: .* got nan at \(2, 4\)"),
        ("a.png", GOOD, TypeError, "image: expected an array, got the path 'a.png'; trimatte.io.load_image"),
        (np.zeros((7, 9, 3)), GOOD * 255, ValueError, r"trimap: .* got 127.5 at \(0, 1\)"),
    ],
)
def test_bad_arrays(image, trimap, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(image, trimap, method="closed-form")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "magic"}, ValueError, "method: expected one of auto, best, closed-form, .*got 'magic'"),
        (
            {"solver": "lu"},
            ValueError,
            "solver: expected one of auto, cholesky, multigrid, graph-multigrid, cg, got 'lu'",
        ),
        ({"epsilon": -1}, ValueError, "epsilon: expected a number from 1e-08 to 1e.06, got -1"),
        ({"known_weight": 0}, ValueError, "known_weight: expected a number from 1e-12 to 1e.12, got 0"),
        ({"tolerance": 0}, ValueError, "tolerance: expected a number from 1e-12 to 1, got 0"),
        (
            {"solver": "multigrid", "radius": 2, "method": "learning-based"},
            ValueError,
            "solver: multigrid needs .* reach is at most 2 .* radius=2",
        ),
        ({"relative_residual": 0}, ValueError, "relative_residual: expected a number above 0"),
        ({"max_iterations": 0}, ValueError, "max_iterations: expected at least 1, got 0"),
        ({"radius": 4}, ValueError, r"image: expected at least 9 x 9 pixels, got \(7, 9, 3\)"),
        (
            {"background_threshold": 0.95},
            ValueError,
            "background_threshold, foreground_threshold: expected 0 <=",
        ),
        ({"threads": 0}, ValueError, "threads: expected at least 1, got 0"),
        ({"threads": 2**40}, ValueError, "threads: expected at most 1024, got 1099511627776"),
        ({"max_iterations": 2**70}, ValueError, "max_iterations: expected at most 2147483647, got"),
        ({"threads": 1.5}, TypeError, "threads: expected an integer or None, got float"),
        ({"progress": 3}, TypeError, "progress: expected a callable or None, got int"),
        ({"colour": 1}, TypeError, "colour"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(np.zeros((7, 9, 3)), GOOD, **options)


def test_eight_bit_colours_in_sixteen_bits_warn_once(noise):
    dark, trimap = (noise[0] * 255).astype(np.uint16), noise[1]
    message = r"image: expected uint16 values up to 65535, got none above 25.; 8-bit ones belong into uint8"
    for call in (
        lambda: tm.estimate_alpha(dark, trimap, method="closed-form"),
        lambda: tm.cutout(dark, trimap, method="closed-form"),
        lambda: tm.matte_from_mask(dark, trimap, learn=False),
    ):
        with pytest.warns(tm.TrimatteWarning, match=message) as heard:
            call()
        assert len(heard) == 1
    for fine in (dark * 0, dark + np.uint16(9)):
        tm.estimate_alpha(fine, trimap, method="closed-form")  # any warning would be an error


@pytest.mark.parametrize(
    "call",
    [
        lambda image, trimap: tm.estimate_alpha(image, trimap, method="closed-form"),
        lambda image, trimap: tm.cutout(image, trimap, method="closed-form"),
        lambda image, trimap: next(tm.solve_sequence([image], [trimap], method="closed-form")),
    ],
)
def test_warnings_are_of_the_callers_line(noise, call):
    with pytest.warns(tm.TrimatteWarning, match="no pixel is unknown") as heard:
        call(noise[0], noise[1] > 0.6)
    assert heard[0].filename == __file__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": None}, "image: expected uint8, .* got None"),
        ({"image": {}}, "image: expected uint8, .* got dict"),
        ({"trimap": None}, "trimap: expected uint8, .* got None"),
        ({"trimap": np.zeros((7, 9), object)}, "trimap: expected uint8, .* got object"),
        ({"start": [["a"]]}, "start: expected uint8, .* got list"),
        ({"prior": tm.priors.Robust}, "prior: expected a name, .* or an array, got the class Robust"),
        ({"prior": ["sampling"]}, "prior: expected a name, .* or an array, got list"),
    ],
)
def test_arguments_of_another_kind(arguments, message):
    with pytest.raises(TypeError, match=message):
        tm.estimate_alpha(**{"image": np.zeros((7, 9, 3)), "trimap": GOOD, **arguments})


def test_hints_are_for_the_argument_that_is_wrong():
    bright, high = np.zeros((7, 9, 3)), np.zeros((7, 9))
    bright[0], high[0] = 1.5, 1.5
    with pytest.raises(ValueError, match=r'image: .* got 1.5 .*choose the colour space "linear"'):
        tm.estimate_alpha(bright, GOOD, method="closed-form")
    with pytest.raises(ValueError, match=r"image: .* got 1.5 .*trimatte.colour.srgb_from_linear"):
        tm.closed_form_laplacian(bright)
    for name in ("trimap", "prior", "start"):
        with pytest.raises(ValueError, match=rf"{name}: .* got 1.5 at \(0, 0\)$"):
            tm.estimate_alpha(bright * 0, **{"trimap": GOOD, name: high})
    with pytest.raises(ValueError, match=r"alpha: .* got 1.5 at \(0, 0\)$"):
        tm.metrics.sad(high, GOOD)
    with pytest.raises(ValueError, match=r"scribbled: .*pass scribbled\[..., :3\]"):
        tm.trimap_from_scribbles(bright * 0, np.zeros((7, 9, 4)))
