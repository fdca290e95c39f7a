"""Run the plug-in for GIMP in GIMP 3 itself, without a display, as root on Debian.

    python tools/check_gimp3.py

Debian 13's packages of GIMP are put into build/gimp3/root by mmdebstrap, once. GIMP runs there with
this Python and this checkout, which are mounted in a namespace of their own, so that nothing stays
mounted. tools/gimp3_batch.py calls the plug-in on a rendered scene; its alpha must be the one that
trimatte finds itself. What cannot be proven: the dialog, and other versions of GIMP.
"""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
from check_platforms import ROOT, TARGETS, install, run
from PIL import Image

import trimatte as tm

WORK = ROOT / "build" / "gimp3"
SYSTEM, FILES = WORK / "root", WORK / "files"
PACKAGES = ("gimp", "gir1.2-gimp-3.0", "python3-gi")


def fail(message):
    sys.exit(f"check_gimp3: {message}")


def unpack_system():
    """Install Debian 13's GIMP, once."""
    if os.geteuid() != 0:
        fail("expected to run as root, which mmdebstrap and mounts need")
    if shutil.which("mmdebstrap") is None:
        install(TARGETS["gcc"]._replace(packages=("mmdebstrap",), programs=("mmdebstrap",)))
    WORK.mkdir(parents=True, exist_ok=True)
    if not (SYSTEM / "usr/bin/gimp-console").exists():
        run(
            *("mmdebstrap", "--variant=apt", f"--include={','.join(PACKAGES)}"),
            *('--aptopt=Apt::Install-Recommends "false"', "--dpkgopt=force-unsafe-io", "trixie", SYSTEM),
        )
    plugins = SYSTEM / "root/.config/GIMP/3.0/plug-ins"
    shutil.rmtree(plugins, ignore_errors=True)
    shutil.copytree(ROOT / "integrations/gimp", plugins, ignore=shutil.ignore_patterns("*.md", "__pycache__"))


def write_scene():
    """Write a scene's picture, trimap and mask as files. Returns the three arrays."""
    shutil.rmtree(FILES, ignore_errors=True)
    FILES.mkdir(parents=True)
    scene = tm.datasets.hair(300, 400, noise=0.01)
    image = np.rint(scene.image * 255).astype(np.uint8)
    mask = np.where(scene.alpha > 0.5, np.uint8(255), np.uint8(0))
    for name, pixels in (("image", image), ("trimap", scene.trimap), ("mask", mask)):
        Image.fromarray(pixels).save(FILES / f"{name}.png")
    return image, scene.trimap, mask


def run_gimp():
    """Run the batch in GIMP. Returns what it found."""
    bound = sorted({str(ROOT), str(Path(sys.base_prefix).resolve())})
    mounts = [f"mount --bind {shlex.quote(folder)} {shlex.quote(str(SYSTEM) + folder)}" for folder in bound]
    for folder in bound:
        Path(str(SYSTEM) + folder).mkdir(parents=True, exist_ok=True)
    system = shlex.quote(str(SYSTEM))
    words = (
        *("env", "-i", "HOME=/root", "PATH=/usr/bin:/bin", "LANG=C.UTF-8"),
        *(f"TRIMATTE_FOLDER={FILES}", f"TRIMATTE_COMMAND={sys.executable} -m trimatte"),
        *("timeout", "600", "gimp-console", "-idf", "--batch-interpreter=python-fu-eval", "-b"),
        *(f"exec(open({str(ROOT / 'tools/gimp3_batch.py')!r}).read())", "--quit"),
    )
    script = "\n".join(
        (
            *("set -e", "mount --make-rprivate /", *mounts),
            *(f"mount -t proc proc {system}/proc", f"mount --bind /dev {system}/dev"),
            f"exec chroot {system} {shlex.join(words)}",
        )
    )
    run("unshare", "--mount", "bash", "-c", script, log=WORK / "gimp.log")
    if not (FILES / "found.json").exists():
        fail(f"the batch ended early, see {WORK / 'gimp.log'}")
    return json.loads((FILES / "found.json").read_text(encoding="utf-8"))


def compare(name, alpha):
    """Compare the alpha of a picture that GIMP saved with ours, in steps of 8 bits."""
    found = np.asarray(Image.open(FILES / name).convert("RGBA"))[..., 3]
    largest = int(np.abs(found.astype(int) - np.rint(255 * alpha).astype(int)).max())
    if largest > 1:
        fail(f"{name}: expected alpha within 1 of 255, got {largest}")
    return largest


def main():
    unpack_system()
    image, trimap, mask = write_scene()
    found = run_gimp()
    for name, wanted in (("nothing selected", "expected a selection"), ("no command", "is not installed")):
        if wanted not in found[name][1]:
            fail(f"{name}: expected a message with {wanted!r}, got {found[name]}")
    for name in ("trimap", "selection"):
        if found[name][0] != "success":
            fail(f"{name}: expected success, got {found[name]}")
    by_trimap = compare("by_trimap.png", tm.estimate_alpha(image, trimap))
    by_selection = compare("by_selection.png", tm.matte_from_mask(image, mask, learn=False))
    print(
        f"check_gimp3: GIMP {found['version']}, {', '.join(found['menu'])}: alpha differs by at most "
        f"{by_trimap} (trimap) and {by_selection} (selection) of 255"
    )


if __name__ == "__main__":
    main()
