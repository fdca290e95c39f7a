"""A real segmentation network, u2netp, on rendered scenes: `make check-models` names its file by U2NETP."""

import os

import numpy as np
import pytest

import trimatte as tm
from trimatte.cli import run
from trimatte.models import PRESETS, load

if "U2NETP" not in os.environ:
    pytest.skip("U2NETP names no file; make check-models gets one", allow_module_level=True)

SCENES = {
    "hair": tm.datasets.hair(400, 600, noise=0.01),
    "another head": tm.datasets.hair(400, 600, seed=3),
    "dandelion": tm.datasets.dandelion(400, 600),
}


@pytest.mark.parametrize("name", SCENES)
def test_it_finds_the_subject_and_the_mask_is_refined(name):
    scene = SCENES[name]
    mask = tm.mask_from_model(scene.image, os.environ["U2NETP"])
    found, true = mask > 0.5, scene.alpha > 0.5
    assert (found & true).sum() > 0.8 * (found | true).sum()
    alpha = tm.matte_from_mask(scene.image, mask)
    assert abs(alpha - scene.alpha).mean() < 0.97 * abs(mask - scene.alpha).mean()


def test_the_name_says_the_family():
    assert load(os.environ["U2NETP"]).preset == PRESETS["u2net"]


def test_remove_from_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tm.io.save_image("photo.jpg", np.round(SCENES["hair"].image * 255).astype(np.uint8))
    assert run(["remove", "photo.jpg", "-o", "cutout.png", "--model", os.environ["U2NETP"]]) == 0
    assert capsys.readouterr().err == ""
    cutout = tm.io.read_picture("cutout.png").pixels
    assert abs(cutout[..., 3] / 255 - SCENES["hair"].alpha).mean() < 0.02
