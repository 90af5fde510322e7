"""The README's install and its programs, word for word, in a fresh folder and a fresh environment."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
ROOT = Path(__file__).parents[3]
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^    (pip .*)$", README, re.MULTILINE)


def run(args: Sequence[str | Path], folder: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "CLICKMESH_URL")}
    variables["PATH"] = path + variables["PATH"]
    return subprocess.run(args, cwd=folder, env=variables, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    assert run([sys.executable, "-m", "venv", "venv"], folder).returncode == 0
    assert len(COMMANDS) == 1
    for command in COMMANDS:
        done = run(["bash", "-c", command.replace("/path/to/clickmesh", str(ROOT))], folder, f"{folder}/venv/bin:")
        assert done.returncode == 0, done.stderr
    return folder


def test_there_are_programs() -> None:
    assert len(PROGRAMS) == 4


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_program(folder: Path, number: int) -> None:
    (folder / "first.py").write_text(PROGRAMS[number].replace("http://127.0.0.1:8080", os.environ["CLICKMESH_URL"]))
    done = run([folder / "venv/bin/python", "first.py"], folder)
    assert (done.returncode, done.stderr) == (0, "")
    if "counters()" in PROGRAMS[number]:
        assert "Counters(queued=4, sent=4, rejected=0, lost=0, stored=0, waiting=0)" in done.stdout
