"""The tutorials and how-tos: everything that they tell a reader to do is done, with smaller pictures."""

import importlib.util
import io
import wsgiref.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx_file
import pytest
from pages import Reader

import trimatte as tm

DOCS = Path(__file__).parents[1] / "docs"

if not DOCS.exists():
    pytest.skip("the documents are not beside the tests", allow_module_level=True)

DEMO = {"trimatte demo -o demo": "trimatte demo -o demo --height 96 --width 128"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def needs(*modules):
    return pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in modules), reason=f"needs {', '.join(modules)}"
    )


def shape(name):
    return tm.io.read_picture(name).pixels.shape


def test_every_page_is_read():
    """A new page needs a test here."""
    own = Path(__file__).read_text(encoding="utf-8")
    pages = [*DOCS.glob("tutorials/*.md"), *DOCS.glob("howto/*.md"), DOCS / "which_method.md"]
    assert len(pages) > 10
    assert [page.name for page in pages if f'"{page.name}"' not in own and page.name != "index.md"] == []


def test_a_trimap(here):
    Reader(DOCS / "tutorials" / "trimap.md", DEMO).read()
    assert shape("cutout.png") == shape("clean.png") == (96, 128, 4)
    assert shape("check.png") == shape("new.jpg") == shape("new.png") == (96, 128, 3)


def test_a_mask(here):
    page = Reader(
        DOCS / "tutorials" / "mask.md",
        {"(600, 800": "(150, 200", "--band 40": "--band 10"},
        {"trimatte paint": options_of},
    )
    page.read()
    truth = page.names["scene"].alpha
    matte, mask = tm.io.read_picture("cutout.png").pixels[..., 3] / 255, truth > 0.5
    assert abs(matte - truth).sum() < abs(mask - truth).sum()
    assert shape("defringed.png") == (150, 200, 4)


@pytest.mark.parametrize("page", sorted(DOCS.glob("theory/*.md")), ids=lambda page: page.stem)
def test_the_lines_of_the_theory(here, page):
    Reader(page).read()


@needs("onnxruntime")
def test_a_photo(here, monkeypatch):
    (here / "home").mkdir()
    monkeypatch.setenv("U2NET_HOME", str(here / "home"))
    for path in (here / "home" / "u2netp.onnx", here / "u2netp.onnx"):
        onnx_file.mean_of_channels(path, (320, 320))
    tm.io.save_image("photo.jpg", bright_disc())
    Reader(DOCS / "tutorials" / "photo.md", others={"trimatte paint": options_of}).read()
    assert shape("cutout.png") == (96, 96, 4)


def bright_disc():
    """A bright disc on a dark ground: its brightness is a good mask."""
    y, x = np.mgrid[:96, :96]
    image = np.full((96, 96, 3), 60, np.uint8)
    image[np.hypot(y - 52, x - 48) < 26] = 220, 160, 90
    return image


def test_keys_and_plates(here):
    smaller = {"(300, 400": "(90, 120", "0.7, 400": "0.7, 120"}
    page = Reader(DOCS / "tutorials" / "keys_and_plates.md", smaller, {"trimatte sequence": options_of})
    page.read()
    assert shape("glass.png") == shape("cutout.png") == (90, 120, 4)
    np.testing.assert_allclose(page.names["alpha"], page.names["scene"].alpha, atol=1e-5)


@needs("av")
def test_clips(here, in_threads):
    smaller = {"(240, 320, frames=12)": "(48, 64, frames=2)"}
    Reader(DOCS / "tutorials" / "clips.md", smaller).read()
    assert len(list(tm.io.open_clip("cutout.mov"))) == len(list(tm.io.open_clip("calm.mov"))) == 2
    assert len(list(Path("frames").iterdir())) == len(list(tm.io.open_clip("keyed.mov"))) == 2


@pytest.fixture
def in_threads(monkeypatch):
    """Let threads do what processes do, which take long to start; test_batch.py has processes."""
    monkeypatch.setattr("trimatte._runtime.jobs.process_pool", ThreadPoolExecutor)


def test_a_thousand_pictures(here, in_threads):
    page = DOCS / "tutorials" / "a_thousand_pictures.md"
    Reader(page, {"(300, 400": "(48, 64", "range(8)": "range(4, 6)", "--dask tcp://first:8786": ""}).read()
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["0004.png", "0005.png"]
    assert shape("sheet.png") == (12, 32, 3)


def test_painting(here):
    Reader(DOCS / "tutorials" / "painting.md", DEMO, {"trimatte paint": options_of}).read()
    assert shape("cutout.png") == (96, 128, 4)


def test_which_method(here):
    scene = tm.datasets.hair(48, 64)
    tm.io.save_image("photo.jpg", np.round(255 * scene.image).astype(np.uint8))
    tm.io.save_image("trimap.png", scene.trimap)
    page = Reader(DOCS / "which_method.md")
    page.names |= {"tm": tm, "image": scene.image, "trimap": scene.trimap}
    page.read()


def options_of(words):
    """Check that a command that does not end by itself, and its options, are there."""
    from trimatte.cli import run

    assert run([words[1], "--help"]) == 0


@needs("starlette", "uvicorn", "httpcore")
def test_a_service(here):
    from service_client import running

    port = "127.0.0.1:7000"
    with running() as client:
        answers = []
        asked = {"curl": lambda words: answers.append(curl(client, words)), "trimatte serve": options_of}
        here_now = {port: f"127.0.0.1:{client.port}", "http://server:7000": f"http://127.0.0.1:{client.port}"}
        page = Reader(DOCS / "tutorials" / "service.md", DEMO | here_now, asked)
        page.read()
    assert [answer.status for answer in answers] == [200, 200, 400, 200]
    assert "trimap" in answers[2].error
    assert tm.io.read_picture(page.names["cutout"]).pixels.shape == shape("cutout.png") == (96, 128, 4)


def curl(client, words):
    """Do what curl does with a form."""
    fields, target, headers, url = {}, None, {}, None
    words = iter(words[1:])
    for word in words:
        if word == "-F":
            name, value = next(words).split("=", 1)
            fields[name] = Path(value[1:]).read_bytes() if value.startswith("@") else value
        elif word == "-o":
            target = next(words)
        elif word == "-H":
            headers.update([next(words).split(": ")])
        else:
            url = word
    assert url.startswith(f"http://127.0.0.1:{client.port}/")
    answer = client.post("/" + url.split("/", 3)[3], headers=headers, **fields)
    if target:
        Path(target).write_bytes(answer.body)
    return answer


def test_gunicorn(here):
    page = Reader(DOCS / "howto" / "gunicorn.md", others={"curl": lambda words: None})
    page.read()
    scene = tm.datasets.hair(48, 64)
    tm.io.save_image("in.png", np.dstack([np.round(255 * scene.image).astype(np.uint8), scene.trimap]))
    status, body = posted(page.names["app"], Path("in.png").read_bytes())
    assert status == "200 OK"
    assert tm.io.read_picture(body).pixels.shape == (48, 64, 4)
    status, body = posted(page.names["app"], b"no picture")
    assert status == "400 Bad Request"
    assert b"\n" not in body


def posted(app, content):
    """Return the status and the body of a WSGI application's answer."""
    environ, said = {"wsgi.input": io.BytesIO(content)}, []
    wsgiref.util.setup_testing_defaults(environ)
    body = b"".join(app(environ, lambda status, headers: said.append(status)))
    return said[0], body


@needs("distributed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_dask(here):
    for folder in ("in", "tri", "again"):
        Path(folder).mkdir()
    scene = tm.datasets.hair(48, 64)
    tm.io.save_image("in/a.png", scene.image)
    tm.io.save_image("tri/a.png", scene.trimap)
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        Reader(DOCS / "howto" / "dask.md", {"tcp://scheduler:8786": cluster.scheduler_address}).read()
    assert Path("out/a.png").read_bytes() == Path("again/a.png").read_bytes()
