"""The page to paint on: its endpoints, strokes, starts and limits. Its look is tested by test_paint_page.py."""

import importlib.util
import io
import itertools
import json
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import trimatte as tm

if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn", "httpcore", "httpx2")):
    pytest.skip("the page and its tests need more: pip install --group test-web", allow_module_level=True)

from starlette.testclient import TestClient

from trimatte._pixels import quantized
from trimatte.cli import run
from trimatte.io.picture import Picture
from trimatte.web.app import painting
from trimatte.web.paint import Opened
from trimatte.web.paint import _solving as solving
from trimatte.web.paint._labels import Labels, reduced
from trimatte.web.paint._painting import Painting
from trimatte.web.paint._solving import Cancelled, Ticket, Wish
from trimatte.web.paint._start import FromKey, FromMask, FromTrimap, start_from
from trimatte.web.paint._strokes import Stroke, covered
from trimatte.web.settings import Settings

TOKEN = "secret"
HOST = "http://127.0.0.1"
HEIGHT, WIDTH = 96, 128
STROKES = [
    {"brush": "foreground", "size": 14, "points": [[60, 60], [64, 90]]},
    {"brush": "background", "size": 10, "points": [[6, 6], [122, 6], [122, 60]]},
]


@pytest.fixture(scope="module")
def scene():
    return tm.datasets.hair(HEIGHT, WIDTH, noise=0.01)


@pytest.fixture(scope="module")
def image(scene):
    return quantized(scene.image, np.uint8)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def picture_in(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def client_of(token=TOKEN, opened=None, **limits):
    site = painting(Settings(api_key=TOKEN, **limits), opened)
    return TestClient(site, base_url=HOST, headers={"x-api-key": token} if token else {})


@pytest.fixture
def client(image):
    return client_of(opened=Opened(Picture(image, None), "photo.png"))


@pytest.fixture
def path(client):
    return f"/data/pictures/{client.get('/data/begin').json()['first']}"


def streamed(response):
    """The last line of an answer, and the bytes behind it."""
    assert response.status_code == 200
    content = response.content
    while True:
        line, _, content = content.partition(b"\n")
        value = json.loads(line)
        if "phase" not in value:
            return value, content


def solved(client, path, size="quick", **wish):
    value, content = streamed(client.post(f"{path}/solve", json={"size": size, "wish": wish}))
    record = value["result"]
    return record, np.frombuffer(content, np.uint8).reshape(record["height"], record["width"], 4)


def saved(client, path, what, **wish):
    value, content = streamed(client.post(f"{path}/save", json={"what": what, "wish": wish}))
    return value["result"]["name"], content


# Strokes


def distances(points, shape):
    """The distance of each pixel's centre to a path."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    places = np.stack([x, y], axis=-1)
    found = np.linalg.norm(places - points[0], axis=-1)
    for a, b in itertools.pairwise(points):
        along = ((places - a) @ (b - a) / max((b - a) @ (b - a), 1e-30)).clip(0, 1)[..., np.newaxis]
        found = np.minimum(found, np.linalg.norm(places - a - along * (b - a), axis=-1))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_a_stroke_covers_the_pixels_near_its_path(seed):
    rng = np.random.default_rng(seed)
    shape, points, size = (40, 50), rng.uniform(-8, 60, (rng.integers(1, 6), 2)), rng.uniform(3, 30)
    if seed % 3 == 0:
        points[:, 1] = points[0, 1]  # along a row
    got = np.zeros(shape, bool)
    found = covered(Stroke("foreground", size, points), shape)
    if found is not None:
        got[found[0]] = found[1]
    distance = distances(points, shape)
    assert (got == (distance <= size / 2))[abs(distance - size / 2) > 1e-6].all()


def test_the_smallest_brush_marks_a_pixel_and_a_stroke_outside_none():
    _, inside = covered(Stroke("foreground", 0.0, np.array([[3.02, 4.98]])), (10, 10))
    assert inside.sum() == 1
    assert covered(Stroke("foreground", 5.0, np.array([[-20.0, 4.0]])), (10, 10)) is None


def test_strokes_are_taken_back_one_after_another():
    rng = np.random.default_rng(0)
    labels = Labels(np.full((60, 80), 128, np.uint8))
    states = []
    brushes = ["foreground", "background", "eraser", "unknown"] * 5
    for brush in brushes:
        states.append(labels.trimap.copy())
        labels.paint(len(labels.strokes), [Stroke(brush, 12.0, rng.uniform(-5, 80, (3, 2)))])
    assert len({state.tobytes() for state in states}) > 10
    for count in reversed(range(len(brushes))):
        labels.paint(count, [])
        np.testing.assert_array_equal(labels.trimap, states[count])


def test_the_eraser_shows_the_start_again():
    base = np.tile(np.repeat(np.array([0, 128, 255], np.uint8), 10), (20, 1))
    labels = Labels(base)
    path = np.array([[0.0, 10.0], [30.0, 10.0]])
    labels.paint(0, [Stroke("foreground", 8.0, path), Stroke("eraser", 20.0, path)])
    np.testing.assert_array_equal(labels.trimap, base)


def test_a_reduced_trimap_keeps_thin_strokes_and_is_unknown_between_two_kinds():
    trimap = np.full((40, 40), 128, np.uint8)
    trimap[:, 9:11] = 255
    trimap[20:, 24:28], trimap[20:, 28:32] = 255, 0
    small = reduced(trimap, 4)
    assert small.shape == (10, 10)
    assert (small[:, 2] == 255).all()
    assert (small[5:, 6] == 255).all()
    assert (small[5:, 7] == 0).all()
    trimap[20:, 26:32] = 0
    assert (reduced(trimap, 4)[5:, 6] == 128).all()


# Solves


def test_alpha_and_cutout_are_the_librarys(client, path, image):
    known = client.post(f"{path}/strokes", json={"keep": 0, "add": STROKES}).json()
    assert known["missing"] == []
    assert known["count"] == 2
    trimap = picture_in(saved(client, path, "trimap")[1])
    want = np.full((HEIGHT, WIDTH), 128, np.uint8)
    for stroke in STROKES:
        value = 255 if stroke["brush"] == "foreground" else 0
        want[distances(np.array(stroke["points"]), want.shape) <= stroke["size"] / 2] = value
    np.testing.assert_array_equal(trimap, want)

    alpha = tm.estimate_alpha(image, want, method="closed-form")
    record, shown = solved(client, path)
    assert record["factor"] == 1
    assert not record["finer"]
    assert record["unknown"] == (want == 128).sum()
    assert abs(shown[..., 3] / 255 - alpha).max() < 2.5e-3 + 0.5 / 255
    name, content = saved(client, path, "alpha")
    assert name == "photo-alpha.png"
    assert abs(picture_in(content) / 255 - alpha).max() < 2.5e-3 + 0.5 / 255
    cutout = picture_in(saved(client, path, "cutout")[1])
    np.testing.assert_array_equal(cutout, shown)
    layer = tm.estimate_foreground(image, alpha).foreground
    assert abs(picture_in(saved(client, path, "foreground")[1]) / 255 - layer).mean() < 0.01


def test_strokes_can_be_taken_back_and_replaced(client, path):
    client.post(f"{path}/strokes", json={"keep": 0, "add": STROKES})
    before = saved(client, path, "trimap")[1]
    assert client.post(f"{path}/strokes", json={"keep": 1, "add": []}).json()["missing"] == ["background"]
    client.post(f"{path}/strokes", json={"keep": 1, "add": STROKES[1:]})
    assert saved(client, path, "trimap")[1] == before
    assert client.get(path).json()["strokes"] == [{**stroke, "size": float(stroke["size"])} for stroke in STROKES]


def test_options_reach_the_solve(client, path, image):
    client.post(f"{path}/strokes", json={"keep": 0, "add": STROKES})
    trimap = picture_in(saved(client, path, "trimap")[1])
    got = picture_in(saved(client, path, "alpha", options={"epsilon": 1e-3})[1]) / 255
    assert abs(got - tm.estimate_alpha(image, trimap, epsilon=1e-3, method="closed-form")).max() < 5e-3
    assert abs(got - tm.estimate_alpha(image, trimap, method="closed-form")).max() > 0.02


def test_one_kind_of_stroke_alone_is_an_error(client, path):
    client.post(f"{path}/strokes", json={"keep": 0, "add": STROKES[:1]})
    value, content = streamed(client.post(f"{path}/solve", json={}))
    assert "background" in value["error"]
    assert content == b""


def test_a_reduced_solve_is_near_the_whole_one(image, monkeypatch):
    monkeypatch.setattr(solving, "_QUICK_UNKNOWN", 1_000)
    monkeypatch.setattr(solving, "_MOST_UNKNOWN", 2_000)
    monkeypatch.setattr(solving, "_FINE_UNKNOWN", 4_000)
    scene = tm.datasets.hair(192, 256, noise=0.01)
    trimap = Picture(scene.trimap, None)
    painting = Painting(
        Picture(quantized(scene.image, np.uint8), None), "photo.png", start=start_from(trimap, "t", (192, 256))
    )
    quick, finer = painting.solve(Wish(), "quick", Ticket(), lambda *_: None)
    assert quick.factor > 1
    assert finer
    assert quick.unknown <= 1_200
    whole, finer = painting.solve(Wish(), "whole", Ticket(), lambda *_: None)
    assert whole.factor == 1
    assert not finer
    assert whole.alpha.shape == (192, 256)
    exact = tm.estimate_alpha(quantized(scene.image, np.uint8), scene.trimap, method="closed-form")
    assert abs(whole.alpha - exact).mean() < 0.01
    big = np.asarray(Image.fromarray(np.asarray(quick.alpha, np.float32)).resize((256, 192)))
    assert abs(big - exact).mean() < 0.05


def test_newer_strokes_stop_a_solve(image, scene):
    painting = Painting(
        Picture(image, None), "p.png", start=start_from(Picture(scene.trimap, None), "t", image.shape[:2])
    )
    ticket = painting.ticket()
    begun = threading.Event()

    def tell(*_):
        begun.set()
        painting.paint(0, [])

    with pytest.raises(Cancelled):
        painting.solve(Wish("best"), "whole", ticket, tell)
    assert begun.is_set()
    result, _ = painting.solve(Wish(), "whole", painting.ticket(), lambda *_: None)
    assert result.factor == 1


# Starts


def test_a_grey_file_is_a_trimap_or_a_mask(scene):
    shape = scene.alpha.shape
    assert isinstance(start_from(Picture(scene.trimap, None), "t", shape), FromTrimap)
    assert isinstance(start_from(Picture(quantized(scene.alpha, np.uint8), None), "m", shape), FromMask)
    hard = np.where(scene.alpha > 0.5, 255, 0).astype(np.uint8)
    assert isinstance(start_from(Picture(hard, None), "m", shape), FromMask)
    with pytest.raises(tm.PictureError, match="expected a grey mask or trimap"):
        start_from(Picture(quantized(scene.image, np.uint8), None), "c.png", shape)
    with pytest.raises(tm.PictureError, match="expected the shape of the picture"):
        start_from(Picture(hard[:, :60].copy(), None), "h.png", shape)


def test_starting_from_a_mask_is_refining_it(client, path, image, scene):
    mask = np.where(scene.alpha > 0.5, 255, 0).astype(np.uint8)
    began = client.post(f"{path}/guide?name=mask.png", content=png(mask)).json()
    assert began["start"] == {"kind": "mask", "band": None}
    assert began["guide"] == "mask"
    assert began["missing"] == []
    began = client.post(f"{path}/start", json={"kind": "mask", "band": 6}).json()
    trimap = picture_in(client.get(f"{path}/trimap?of=base").content)
    np.testing.assert_array_equal(trimap, tm.trimap_from_soft_mask(mask, band=6))
    got = picture_in(saved(client, path, "alpha")[1]) / 255
    assert abs(got - tm.matte_from_mask(image, mask, band=6, learn=False)).max() < 5e-3


def test_starting_from_a_key_is_keying(scene):
    image = quantized(tm.composite(scene.foreground, scene.alpha, (0.1, 0.7, 0.2)), np.uint8)
    client = client_of(opened=Opened(Picture(image, None), "shot.png", FromKey("auto", True)))
    path = f"/data/pictures/{client.get('/data/begin').json()['first']}"
    want = tm.matte_from_key(image)
    np.testing.assert_array_equal(picture_in(client.get(f"{path}/trimap").content), want.trimap)
    cutout = picture_in(saved(client, path, "cutout")[1])
    assert abs(cutout[..., 3] / 255 - want.alpha).max() < 5e-3
    assert abs(cutout[..., :3] / 255 - want.foreground)[want.alpha > 0.1].max() < 0.05
    assert client.post(f"{path}/start", json={"kind": "key", "key": "#ff0000"}).status_code == 400


def test_strokes_stay_when_the_start_changes(client, path, scene):
    client.post(f"{path}/strokes", json={"keep": 0, "add": STROKES})
    alone = saved(client, path, "trimap")[1]
    client.post(f"{path}/guide", content=png(scene.trimap))
    assert saved(client, path, "trimap")[1] != alone
    client.post(f"{path}/start", json={"kind": "nothing"})
    assert saved(client, path, "trimap")[1] == alone


def test_a_picture_with_transparency_starts_from_it(client, image, scene):
    cutout = np.dstack([image, quantized(scene.alpha, np.uint8)])
    state = client.post("/data/pictures?name=cut.png", content=png(cutout)).json()
    assert state["start"]["kind"] == "mask"
    assert state["missing"] == []


# Who may ask, and how much


def test_requests_need_the_key_the_host_and_the_origin(path):
    for token in (None, "other"):
        assert client_of(token).get("/data/begin").status_code == 401
    client = client_of()
    assert client.get("/data/begin", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/data/begin", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.get("/", headers={"host": "[::1"}).status_code == 403
    assert client.get("/data/begin", headers={"origin": "null"}).status_code == 403
    assert client.get("/data/begin", headers={"origin": "http://[::1"}).status_code == 403
    assert client.get("/data/begin", headers={"origin": HOST}).status_code == 200
    assert client.get("/data/begin", headers={"host": "[::1]:80"}).status_code == 200


def test_the_page_and_its_modules_are_served_without_the_key():
    client = client_of(None)
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in str(page.headers)
    assert "http://" not in page.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page.text
    for name in ("app.js", "engine.js", "style.css"):
        assert f'"{name}"' in page.text or name == "engine.js"
        assert client.get(f"/{name}").headers["x-content-type-options"] == "nosniff"
    for name in ("/../_files.py", "/%2e%2e/_files.py", "/_files.py", "/static/app.js", "/etc/passwd"):
        assert client.get(name).status_code == 401
        assert client_of().get(name).status_code == 404


def test_limits_of_a_request():
    client = client_of(body_bytes=5000, pixels=10_000)
    assert client.post("/data/pictures", content=b"x" * 6000).status_code == 413
    large = client.post("/data/pictures?name=a.png", content=png(np.zeros((200, 200), np.uint8)))
    assert large.status_code == 413
    assert "million pixels" in large.json()["error"]["message"]
    fine = client.post("/data/pictures?name=../../etc/x.png", content=png(np.zeros((20, 20), np.uint8))).json()
    assert fine["name"] == "x.png"
    long = {"keep": 0, "add": [{"brush": "foreground", "size": 3, "points": [[1, 1]] * 1000}]}
    assert client.post(f"/data/pictures/{fine['id']}/strokes", json=long).status_code == 413


def test_the_picture_not_used_for_the_longest_time_goes():
    client = client_of(paintings=2)
    keys = []
    for _ in range(3):
        keys.append(client.post("/data/pictures", content=png(np.zeros((20, 20), np.uint8))).json()["id"])
        assert client.get(f"/data/pictures/{keys[0]}").status_code == 200
    assert [client.get(f"/data/pictures/{key}").status_code for key in keys] == [200, 404, 200]


@pytest.mark.parametrize(
    ("part", "message", "word"),
    [
        ("strokes", {"keep": 5, "add": []}, "keep"),
        ("strokes", {"keep": True, "add": []}, "keep"),
        ("strokes", {"keep": 0, "add": [{"brush": "pen", "size": 3, "points": [[1, 1]]}]}, "brush"),
        ("strokes", {"keep": 0, "add": [{"brush": "foreground", "size": "3", "points": [[1, 1]]}]}, "size"),
        ("strokes", {"keep": 0, "add": [{"brush": "foreground", "size": 3, "points": []}]}, "points"),
        ("strokes", {"keep": 0, "add": [{"brush": "foreground", "size": 3, "points": [[1]]}]}, "points"),
        ("strokes", {"keep": 0, "add": [{"brush": "foreground", "size": 3, "points": [[1, None]]}]}, "points"),
        ("strokes", {"keep": 0, "add": {}}, "strokes"),
        ("start", {"kind": "mask"}, "kind"),
        ("start", {"kind": "key", "key": "grass"}, "key"),
        ("start", {"kind": "file", "path": "/etc/passwd"}, "kind"),
        ("solve", {"size": "huge"}, "size"),
        ("solve", {"wish": {"method": "magic"}}, "method"),
        ("solve", {"wish": {"options": {"epsilon": -1}}}, "epsilon"),
        ("solve", {"wish": {"options": {"start": 1}}}, "start"),
        ("save", {"what": "all"}, "what"),
    ],
)
def test_bad_messages_are_refused_by_name(client, path, part, message, word):
    answer = client.post(f"{path}/{part}", json=message)
    assert answer.status_code == 400
    assert word in answer.json()["error"]["message"]


def test_what_is_no_picture_or_no_json_is_refused(client, path):
    assert "not a picture" in client.post("/data/pictures?name=a.txt", content=b"text").json()["error"]["message"]
    assert client.post(f"{path}/guide", content=b"").status_code == 400
    assert client.post(f"{path}/strokes", content=b"{").status_code == 400
    assert client.post(f"{path}/strokes", content=b"[1]").status_code == 400
    assert client.post("/data/pictures/none/solve", json={}).status_code == 404


def test_the_command_refuses_what_it_cannot_start_with(capsys, tmp_path):
    assert run(["paint", "--mask", "mask.png"]) == 2
    assert "only with IMAGE" in capsys.readouterr().err
    assert run(["paint", "a.png", "--key", "auto", "--trimap", "t.png"]) == 2
    assert "not with" in capsys.readouterr().err
    assert run(["paint", str(tmp_path / "missing.png"), "--no-browser"]) == 1
    assert "no such file" in capsys.readouterr().err


def test_without_the_extra_the_command_says_what_is_missing(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "trimatte.web.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["paint", "--no-browser"]) == 1
    assert "trimatte[web]" in capsys.readouterr().err
