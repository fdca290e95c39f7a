"""The page on errors: each message that it quotes is what the call before it says."""

import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pytest
from pages import steps_of

import trimatte as tm
from trimatte.cli import run

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

if not PAGE.exists():
    pytest.skip("the documents are not beside the tests", allow_module_level=True)

STEPS = list(steps_of(PAGE))
CALLS = [(*call, " ".join(said.text.split())) for call, said in zip(STEPS[::2], STEPS[1::2], strict=True)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the files that the page names, and its arrays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "home"))
    scene = tm.datasets.hair(60, 80, seed=1)
    image = np.round(scene.image * 255).astype(np.uint8)
    tm.io.save_image("photo.jpg", image)
    tm.io.save_image("trimap.png", scene.trimap)
    tm.io.save_image("small.png", np.ascontiguousarray(scene.trimap[:, :40]))
    content = Path("photo.jpg").read_bytes()
    Path("broken.jpg").write_bytes(content[:300])
    Path("truncated.jpg").write_bytes(content[:-1])
    Path("notes.txt").write_text("no picture", encoding="utf-8")
    return {"tm": tm, "np": np, "image": image, "trimap": scene.trimap}


def test_every_call_is_followed_by_what_it_says():
    assert len(CALLS) > 20
    assert {kind for kind, _ in STEPS[::2]} == {"python", "shell"}
    assert {kind for kind, _ in STEPS[1::2]} == {"text"}


def said_by(call, names):
    """Return the class and the message of what Python code raises, or warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            exec(compile(call, PAGE.name, "exec"), names)
        except (tm.TrimatteError, ValueError, TypeError, Warning) as error:
            return f"{type(error).__name__}: {error}"
    return "nothing"


@pytest.mark.parametrize(
    ("kind", "call", "said"), CALLS, ids=[re.sub(r"\W+", " ", said)[:50] for *_, said in CALLS]
)
def test_a_message_is_as_quoted(here, capsys, kind, call, said):
    pattern = ".*".join(map(re.escape, said.split("...")))
    if kind == "python":
        assert re.fullmatch(pattern, said_by(call, here))
    else:
        assert run(shlex.split(call)[1:]) in (1, 2)
        lines = capsys.readouterr().err.splitlines()  # a slow run also draws a bar
        assert any(re.fullmatch(pattern, line.strip()) for line in lines), lines
