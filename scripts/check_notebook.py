"""Runs docs/runs.ipynb on a new run and a new sweep: `make check-notebook`.

No cell may fail, and each of its three figures must be drawn. The notebook itself is not changed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
FMICL = ROOT / "target/release/fmicl"
FIGURES = 3
SWEEP = """
experiment = "{experiment}"
set = ["train.epochs=2", "train.warmup_epochs=0", "train.log_every=5"]
seeds = [0, 1]

[[axis]]
name = "objective"
key = "objective.divergence"
values = ["kl", "js"]
"""


def fmicl(*args):
    run = subprocess.run([FMICL, *map(str, args)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


with tempfile.TemporaryDirectory() as folder:
    run, sweep, file = (Path(folder) / name for name in ("run", "sweep", "sweep.toml"))
    quickstart = ROOT / "experiments/quickstart.toml"
    file.write_text(SWEEP.format(experiment=quickstart))
    short = [word for change in ("train.epochs=3", "train.warmup_epochs=0", "train.log_every=5") for word in ("--set", change)]
    fmicl("train", quickstart, "--out", run, *short)
    fmicl("sweep", file, "--out", sweep)
    os.environ |= {"RUN": str(run), "SWEEP": str(sweep)}
    notebook = nbformat.read(ROOT / "docs/runs.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT / "docs")}}).execute()
outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
figures = sum("image/png" in output.get("data", {}) for output in outputs)
if figures != FIGURES:
    sys.exit(f"check-notebook: {figures} figures were drawn, not {FIGURES}")
print(f"docs/runs.ipynb: {sum(cell.cell_type == 'code' for cell in notebook.cells)} cells ran, {figures} figures were drawn")
