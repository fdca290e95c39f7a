"""The command in real processes: exit codes, signals, pipes, what it imports."""

import json
import os
import subprocess
import sys

import pytest
from disc_picture import INPUTS, MATTE, names


def process(*command, **options):
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=60, env=environment, **options
    )


@pytest.mark.parametrize("module", ["trimatte", "trimatte.cli"])
def test_process_that_succeeds(folder, module):
    done = process("-m", module, *MATTE, "-o", "c.png", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["output"] == "c.png"
    assert names(folder) == sorted([*INPUTS, "c.png"])


def test_process_that_fails(folder):
    done = process("-m", "trimatte", "cutout", "none.png", "trimap.png", "-o", "c.png")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "trimatte: error: none.png: no such file\n"
    assert names(folder) == INPUTS


def test_process_that_is_used_wrongly(folder):
    done = process("-m", "trimatte", *MATTE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Missing option" in done.stderr


INTERRUPTED = """
import signal, sys
from trimatte._pipeline import guides
from trimatte.cli import run
solve = guides.solve_alpha
def interrupted(*arguments, **options):
    signal.raise_signal(signal.SIGINT)
    return solve(*arguments, **options)
guides.solve_alpha = interrupted
sys.exit(run(sys.argv[1:]))
"""


def test_process_that_is_interrupted(folder):
    done = process("-c", INTERRUPTED, *MATTE, "-o", "c.png")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "trimatte: stopped")
    assert names(folder) == INPUTS


TERMINATED = """
import signal, sys
from trimatte.io import write
from trimatte.cli import main
def half(file, *_):
    file.write(b"half")
    file.flush()
    signal.raise_signal(signal.SIGTERM)
write.write_png = half
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_process_that_is_terminated_leaves_nothing_behind(folder):
    done = process("-c", TERMINATED, *MATTE, "-o", "c.png")
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "trimatte: stopped\n")
    assert names(folder) == INPUTS


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_standard_output_that_is_full(folder, unbuffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}  # empty: as if it was not there
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "trimatte", "info", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert done.returncode == 1
    assert done.stderr == "trimatte: error: standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise")
@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_standard_output_that_nobody_reads(folder, unbuffered):
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "trimatte", "info", "--json"]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, env=environment)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_process_that_is_interrupted_while_it_imports(folder):
    (folder / "click.py").write_text("raise KeyboardInterrupt\n")
    done = process("-c", "from trimatte.cli import main; main()")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "trimatte: stopped\n")


def test_pictures_through_pipes(folder):
    """The same bytes as with files; lines for people go to standard error."""
    wanted = process("-m", "trimatte", "cutout", "image.png", "trimap.png", "-o", "wanted.png")
    assert wanted.returncode == 0
    command = [sys.executable, "-m", "trimatte", "cutout", "-", "trimap.png", "-o", "-"]
    picture = (folder / "image.png").read_bytes()
    done = subprocess.run(command, input=picture, capture_output=True, cwd=folder)
    assert done.returncode == 0
    assert done.stdout == (folder / "wanted.png").read_bytes()
    assert b"unknown" in done.stderr
    through = [sys.executable, "-m", "trimatte", "cutout", "/dev/stdin", "trimap.png", "-o", "c.png", "--json"]
    done = subprocess.run(through, input=picture, capture_output=True, cwd=folder)
    assert (done.returncode, json.loads(done.stdout)["output"]) == (0, "c.png")
    assert (folder / "c.png").read_bytes() == (folder / "wanted.png").read_bytes()


def test_without_click(folder):
    code = "import sys; sys.modules['click'] = None; import trimatte.cli; sys.exit(trimatte.cli.run(['info']))"
    done = process("-c", code)
    assert done.returncode == 1
    assert done.stderr == "trimatte: error: the command line needs click: pip install click\n"


def test_help_imports_nothing_heavy():
    code = (
        "import sys, trimatte.cli\n"
        "assert trimatte.cli.run(['--help']) == 0\n"
        "heavy = {name.partition('.')[0] for name in sys.modules} & {'scipy', 'PIL', 'tqdm', 'asyncio'}\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = process("-c", code)
    assert (done.returncode, done.stderr) == (0, "")
