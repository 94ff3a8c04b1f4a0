"""Notebooks run, and say the same in both of their forms."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.py"))


def cells_of_script(path):
    """The cells of a ``py:percent`` script: their kind and their text."""
    _, *parts = path.read_text(encoding="utf-8").split("\n# %%")
    cells = []
    for part in parts:
        head, _, body = part.partition("\n")
        if head.strip() == "[markdown]":
            lines = [line[2:] for line in body.split("\n")]  # without "# "
            cells.append(("markdown", "\n".join(lines).strip()))
        else:
            cells.append(("code", body.strip()))
    return cells


def cells_of_notebook(path):
    """The same of an ``.ipynb`` file."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_both_forms_say_the_same(path):
    assert cells_of_script(path) == cells_of_notebook(path.with_suffix(".ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, path], check=True, cwd=tmp_path, env=environment)
