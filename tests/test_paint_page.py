"""The page to paint on in a real browser: chromium, driven by Playwright, on a server of its own.

It runs where Playwright and chromium are installed; `make chromium` installs the browser on Debian.
"""

import importlib.util
import io
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import trimatte as tm

if any(importlib.util.find_spec(name) is None for name in ("playwright", "axe_playwright_python")):
    pytest.skip("Playwright is not installed: pip install --group test-page", allow_module_level=True)
if shutil.which(os.environ.get("CHROMIUM", "chromium")) is None:
    pytest.skip("chromium is not installed: make chromium, or name it in CHROMIUM", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which(os.environ.get("CHROMIUM", "chromium"))
HEIGHT, WIDTH = 240, 360
SIZE = {"width": 1360, "height": 820}
PATIENCE = 180_000  # milliseconds, on a busy machine
TOLERANCE = 2.5e-3 + 0.5 / 255  # two solves may each be off by 1e-3, and the file has 8 bits


# Playwright's event loop runs as long as this fixture lives, and other files of tests run loops of their own.
@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        # Containers have no user namespaces for the sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    scene = tm.datasets.hair(HEIGHT, WIDTH, noise=0.01)
    shot = tm.composite(scene.foreground, scene.alpha, (0.1, 0.7, 0.2))
    pictures = {
        "photo": scene.image,
        "trimap": scene.trimap,
        "mask": np.where(scene.alpha > 0.5, 255, 0).astype(np.uint8),
        "shot": np.clip(shot, 0, 1),
    }
    for name, pixels in pictures.items():
        tm.io.save_image(folder / f"{name}.png", pixels)
    return folder


@pytest.fixture
def serve():
    """Starts the command and returns the address that it prints."""
    running = []

    def start(*arguments):
        command = [sys.executable, "-m", "trimatte", "paint", "--no-browser", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process.stdout.readline().strip()

    yield start
    for process in running:
        process.terminate()
        _, errors = process.communicate(timeout=60)
        assert errors in ("", "trimatte: stopped\n")


@pytest.fixture
def visit(browser):
    """Opens an address, and asserts at the end that the page had nothing to complain about."""
    complaints, contexts = [], []

    def failed(request):
        if request.timing["responseEnd"] <= 0:  # chromium may call a stream aborted that has been read to its end
            complaints.append(f"{request.url}: {request.failure}")

    def go(address, expected=None, **settings):
        context = browser.new_context(**{"viewport": SIZE, "accept_downloads": True, **settings})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.text == expected or complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", failed)
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address.split("#")[0], "blob:", "data:"))
                else complaints.append(request.url)
            ),
        )
        page.goto(address)
        return page

    yield go
    found = list(complaints)  # what is under way is aborted when a page closes
    for context in contexts:
        context.close()
    assert found == []


def place(page, x, y, side="left"):
    """Where a point of the picture, from 0 to 1, is on the page while the picture fits."""
    box = page.locator(f"#{side}").bounding_box()
    scale = min((box["width"] - 24) / WIDTH, (box["height"] - 24) / HEIGHT)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return middle[0] + (x - 0.5) * WIDTH * scale, middle[1] + (y - 0.5) * HEIGHT * scale


def settled(page, before):
    """Wait for a result that is newer, and for the finer one after it."""
    page.wait_for_function("before => document.body.dataset.shown !== before", arg=before)
    page.wait_for_function("() => document.body.dataset.rests === 'true'")


def number(page):
    return page.evaluate("document.body.dataset.shown ?? ''")


def draw(page, kind, *points, wait=True):
    page.locator(f"input[name=brush][value={kind}]").check(force=True)
    before = number(page)
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=8)
    page.mouse.up()
    if wait:
        settled(page, before)


def paint(page):
    """A stroke of each kind."""
    page.wait_for_selector("#work:not([hidden])")
    draw(page, "foreground", (0.38, 0.3), (0.36, 0.6), (0.3, 0.85), wait=False)
    draw(page, "background", (0.05, 0.1), (0.9, 0.08), (0.92, 0.9))


def saved(page, what, folder):
    page.click("#save")
    with page.expect_download() as download:
        page.click(f"[data-save={what}]")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return np.asarray(Image.open(path))


def seen(page, side, x, y):
    """The colour that a side shows at a point of the picture."""
    left, top = place(page, x, y, side)
    clip = {"x": left, "y": top, "width": 1, "height": 1}
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))))[0, 0, :3].astype(int)


def test_strokes_give_the_librarys_alpha(serve, visit, files, tmp_path):
    page = visit(serve(files / "photo.png"))
    paint(page)
    trimap, alpha = saved(page, "trimap", tmp_path), saved(page, "alpha", tmp_path)
    assert trimap[round(0.45 * HEIGHT), round(0.37 * WIDTH)] == 255
    assert trimap[round(0.09 * HEIGHT), round(0.5 * WIDTH)] == 0
    assert set(np.unique(trimap)) == {0, 128, 255}
    image = tm.io.load_image(files / "photo.png")
    assert abs(alpha / 255 - tm.estimate_alpha(image, trimap)).max() < TOLERANCE
    cutout = saved(page, "cutout", tmp_path)
    np.testing.assert_array_equal(cutout[..., 3], alpha)
    assert saved(page, "foreground", tmp_path).shape == (HEIGHT, WIDTH, 3)


def test_undo_and_redo(serve, visit, files, tmp_path):
    page = visit(serve(files / "photo.png", "--trimap", files / "trimap.png"))
    settled(page, "")
    states = [saved(page, "trimap", tmp_path)]
    for k in range(4):
        kind = ["foreground", "background", "eraser", "unknown"][k]
        draw(page, kind, (0.2 + 0.1 * k, 0.2), (0.3, 0.3 + 0.1 * k))
        states.append(saved(page, "trimap", tmp_path))
    for state in states[-2::-1]:
        before = number(page)
        page.keyboard.press("Control+z")
        settled(page, before)
        np.testing.assert_array_equal(saved(page, "trimap", tmp_path), state)
    expect(page.locator("#undo")).to_be_disabled()
    for state in states[1:]:
        before = number(page)
        page.click("#redo")
        settled(page, before)
        np.testing.assert_array_equal(saved(page, "trimap", tmp_path), state)
    expect(page.locator("#redo")).to_be_disabled()


def test_both_sides_zoom_and_strokes_land_where_they_are_drawn(serve, visit, files, tmp_path):
    page = visit(serve(files / "photo.png", "--trimap", files / "trimap.png"))
    settled(page, "")
    page.locator("input[name=view][value=picture]").check(force=True)
    before = saved(page, "trimap", tmp_path)
    fitted = page.inner_text("#zoom-value")
    spot = (0.75, 0.25)
    page.mouse.move(*place(page, *spot, "right"))
    for _ in range(3):
        page.mouse.wheel(0, -240)
    page.wait_for_function("fitted => document.getElementById('zoom-value').textContent !== fitted", arg=fitted)
    page.keyboard.press("h")  # strokes are hidden
    assert abs(seen(page, "left", *spot) - seen(page, "right", *spot)).max() <= 3
    was = number(page)
    page.mouse.move(*place(page, *spot))
    page.mouse.down()
    page.mouse.up()
    settled(page, was)
    changed = np.argwhere(saved(page, "trimap", tmp_path) != before)
    assert len(changed) > 3
    assert abs(changed.mean(axis=0) + 0.5 - (spot[1] * HEIGHT, spot[0] * WIDTH)).max() < 1
    page.keyboard.press("0")
    page.wait_for_function("fitted => document.getElementById('zoom-value').textContent === fitted", arg=fitted)


def test_wheel_and_brackets_change_the_size(serve, visit, files):
    page = visit(serve(files / "photo.png"))
    page.wait_for_selector("#work:not([hidden])")
    sizes = [int(page.input_value("#size"))]
    page.mouse.move(*place(page, 0.5, 0.5))
    page.mouse.wheel(0, -400)
    page.wait_for_function("was => Number(document.getElementById('size').value) > was", arg=sizes[0])
    sizes.append(int(page.input_value("#size")))
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert int(page.input_value("#size")) < sizes[1]


def test_newer_strokes_cancel_an_older_solve(serve, visit, files, tmp_path):
    page = visit(serve(files / "photo.png", "--trimap", files / "trimap.png"))
    settled(page, "")
    page.click("#options")
    was = number(page)
    page.select_option("#method", "best")  # it takes long enough to be stopped
    answers = []
    page.on("requestfinished", lambda request: answers.append(request) if request.url.endswith("solve") else None)
    for k in range(4):
        draw(page, "background", (0.6 + 0.1 * k, 0.1), (0.7 + 0.05 * k, 0.2), wait=False)
    settled(page, was)
    expect(page.locator("#toast")).to_be_hidden()
    assert "pixels found" in page.inner_text("#status")
    trimap, alpha = saved(page, "trimap", tmp_path), saved(page, "alpha", tmp_path)
    image = tm.io.load_image(files / "photo.png")
    assert abs(alpha / 255 - tm.estimate_alpha(image, trimap, method="best")).max() < TOLERANCE


def test_reloading_keeps_picture_and_strokes(serve, visit, files, tmp_path):
    page = visit(serve(files / "photo.png"))
    paint(page)
    before = saved(page, "trimap", tmp_path)
    page.reload()
    settled(page, "")
    np.testing.assert_array_equal(saved(page, "trimap", tmp_path), before)
    page.keyboard.press("Control+z")
    expect(page.locator("#hint")).to_contain_text("Remove")


def test_views(serve, visit, files):
    page = visit(serve(files / "photo.png", "--trimap", files / "trimap.png"))
    settled(page, "")
    inside, outside = (0.3, 0.85), (0.93, 0.1)
    trimap = tm.io.load_image(files / "trimap.png")
    assert trimap[int(inside[1] * HEIGHT), int(inside[0] * WIDTH)] == 255
    assert trimap[int(outside[1] * HEIGHT), int(outside[0] * WIDTH)] == 0
    image = tm.io.load_image(files / "photo.png")
    colour = [
        image[int(y * HEIGHT) - 1 : int(y * HEIGHT) + 2, int(x * WIDTH) - 1 : int(x * WIDTH) + 2]
        for x, y in (inside, outside)
    ]
    for view, kept, gone in (
        ("alpha", [255] * 3, [0] * 3),
        ("trimap", [255] * 3, [0] * 3),
        ("colour", colour[0], [0x3F, 0xAE, 0x5A]),
        ("picture", colour[0], colour[1]),
        ("foreground", colour[0], None),
        ("cutout", colour[0], None),
    ):
        page.locator(f"input[name=view][value={view}]").check(force=True)
        page.wait_for_function("view => document.body.dataset.view === view", arg=view)
        for spot, want in ((inside, kept), (outside, gone)):
            if want is not None:
                low, high = np.min(np.reshape(want, (-1, 3)), axis=0), np.max(np.reshape(want, (-1, 3)), axis=0)
                got = seen(page, "right", *spot)
                assert ((got >= low - 12) & (got <= high + 12)).all(), (view, got, low, high)


def test_a_mask_beside_the_picture_and_its_band(serve, visit, files, tmp_path):
    page = visit(serve())
    expect(page.locator("#welcome")).to_be_visible()
    page.set_input_files("#file", [files / "mask.png", files / "photo.png"])
    settled(page, "")
    expect(page.locator("#panel")).to_be_visible()
    mask = tm.io.load_image(files / "mask.png")
    before = number(page)
    page.locator("#band").fill("9")
    settled(page, before)
    trimap = saved(page, "trimap", tmp_path)
    np.testing.assert_array_equal(trimap, tm.trimap_from_soft_mask(mask, band=9))
    before = number(page)
    page.locator("input[name=start][value=nothing]").check(force=True)
    expect(page.locator("#hint")).to_contain_text("Keep")
    page.locator("input[name=start][value=guide]").check(force=True)
    settled(page, before)


def test_a_key_colour_picked_from_the_picture(serve, visit, files, tmp_path):
    page = visit(serve(files / "shot.png"))
    page.wait_for_selector("#work:not([hidden])")
    page.click("#options")
    page.locator("input[name=start][value=key]").check(force=True)
    settled(page, "")
    before = number(page)
    page.click("#pipette")
    page.mouse.move(*place(page, 0.9, 0.1))
    page.mouse.down()
    page.mouse.up()
    settled(page, before)
    key = page.input_value("#key")
    image = tm.io.load_image(files / "shot.png")
    want = tm.matte_from_key(image, key)
    np.testing.assert_array_equal(saved(page, "trimap", tmp_path), want.trimap)
    assert abs(saved(page, "alpha", tmp_path) / 255 - want.alpha).max() < TOLERANCE


def test_painting_by_keys(serve, visit, files, tmp_path):
    page = visit(serve(files / "photo.png", "--trimap", files / "trimap.png"))
    settled(page, "")
    before = saved(page, "trimap", tmp_path)
    was = number(page)
    page.focus("#left")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    settled(page, was)
    changed = saved(page, "trimap", tmp_path)
    y, x = np.nonzero(changed != before)
    assert np.ptp(x) > 2 * np.ptp(y)
    assert (changed[y, x] == 0).all()
    page.keyboard.press("v")
    expect(page.locator("input[name=view][value=colour]")).to_be_checked()


def test_one_finger_paints_and_two_move(serve, visit, files, tmp_path):
    page = visit(
        serve(files / "photo.png", "--trimap", files / "trimap.png"),
        viewport={"width": 390, "height": 844},
        has_touch=True,
    )
    settled(page, "")
    before = saved(page, "trimap", tmp_path)
    fingers = page.context.new_cdp_session(page)

    def touch(kind, *points):
        places = [dict(zip("xy", place(page, *point), strict=True)) | {"id": k} for k, point in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    was = number(page)
    touch("touchStart", (0.8, 0.2))
    for k in range(8):
        touch("touchMove", (0.8 + 0.01 * k, 0.2 + 0.05 * k))
    touch("touchEnd")
    settled(page, was)
    painted = saved(page, "trimap", tmp_path)
    assert (painted != before).any()
    zoom = page.evaluate("document.getElementById('zoom-value').textContent")
    touch("touchStart", (0.4, 0.4))
    touch("touchStart", (0.4, 0.4), (0.6, 0.6))
    for k in range(8):
        touch("touchMove", (0.4 - 0.02 * k, 0.4), (0.6 + 0.02 * k, 0.6))
    touch("touchEnd")
    page.wait_for_function("was => document.getElementById('zoom-value').textContent !== was", arg=zoom)
    np.testing.assert_array_equal(saved(page, "trimap", tmp_path), painted)


def test_what_is_no_picture_is_said(serve, visit, files, tmp_path):
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    refusal = "Failed to load resource: the server responded with a status of 400 (Bad Request)"
    page = visit(serve(files / "photo.png"), refusal)
    page.wait_for_selector("#work:not([hidden])")
    page.set_input_files("#guide-file", text)
    expect(page.locator("#toast")).to_contain_text("not a picture")


def test_an_address_without_the_key_asks_for_it(serve, visit):
    address, _, key = serve().partition("#key=")
    page = visit(address, "Failed to load resource: the server responded with a status of 401 (Unauthorized)")
    page.locator("#service-key").fill("guess")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#toast")).to_contain_text("expected the key")
    page.locator("#service-key").fill(key)
    page.keyboard.press("Enter")
    expect(page.locator("#choose")).to_be_visible()


def test_visitors_of_a_service_paint_with_its_key(visit, files, tmp_path):
    from service_client import running

    with running(api_key="secret", paintings=2) as client:
        refusal = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"
        page = visit(f"http://127.0.0.1:{client.port}/paint", refusal)
        page.locator("#service-key").fill("secret")
        page.keyboard.press("Enter")
        page.set_input_files("#file", files / "photo.png")
        paint(page)
        trimap, alpha = saved(page, "trimap", tmp_path), saved(page, "alpha", tmp_path)
        image = tm.io.load_image(files / "photo.png")
        want = tm.estimate_alpha(image, trimap, method="closed-form")
        assert abs(alpha / 255 - want).max() < TOLERANCE
        assert client.get("/health").json["inside"] == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1360, 820), (390, 844)])
def test_accessibility(serve, visit, files, scheme, size):
    look = {"color_scheme": scheme, "viewport": {"width": size[0], "height": size[1]}}
    page = visit(serve(), **look)
    assert serious(page) == []
    page = visit(serve(files / "photo.png", "--mask", files / "mask.png"), **look)
    settled(page, "")
    assert serious(page) == []
    page.click("#options")
    page.click(".keys summary")
    assert serious(page) == []
    page.click("#options-close")
    page.click("#save")
    assert serious(page) == []


def serious(page):
    """What axe finds, but for what it calls minor or moderate."""
    found = Axe().run(page).response["violations"]
    return [
        (violation["id"], node["html"])
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
