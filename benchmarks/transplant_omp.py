"""Matching pursuit in a donor's space, function against function, on the same matrices.

``python -m benchmarks.transplant_omp --rival-python VENV/bin/python`` needs an environment
with ``mergekit==0.1.5``. Matrices are random with a spectrum and a mean like those of trained
embeddings. Every measurement is a process of its own with one thread; they take turns, and
medians of CPU time per token are shown. The Gram matrix is shown apart and, for `TOKENS`
tokens, included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
TOKENS = 30_000
"""How many new tokens the Gram matrix is shared out to: those of a usual vocabulary."""


def make_matrices(folder: Path, atoms: int, targets: int, width: int) -> None:
    """Write atoms and targets that lie in a cone and mostly in few directions."""
    rng = np.random.default_rng(atoms + width)
    scales = np.arange(1, width + 1) ** -0.35
    mean = rng.standard_normal(width) * 0.3 * scales
    for name, size in (("atoms", atoms), ("targets", targets)):
        rows = (rng.standard_normal((size, width)) + mean) * scales * 0.05
        rows *= np.exp(rng.normal(0, 0.15, (size, 1)))
        np.save(folder / f"{name}.npy", rows.astype(np.float32))


def tokkit(atoms, targets, most, folder):
    """Gram matrix and pursuit; both apart."""
    from tokkit.kernels._jit import frozen
    from tokkit.transplant.methods import omp

    omp.approximate(atoms[:64].copy(), targets[:2].copy(), 2)  # compiles, or reads the cache
    start = time.process_time()
    gram = omp.make_gram(atoms)
    once = time.process_time() - start
    omp.make_gram = lambda _: gram
    start = time.process_time()
    found = omp.approximate(frozen(atoms), targets, most)
    cpu = time.process_time() - start
    np.savez(folder / "tokkit.npz", chosen=found.chosen, weights=found.weights)
    return {"cpu": cpu, "once": once}


def mergekit(atoms, targets, most, folder):
    """``batch_omp`` as shipped."""
    import torch
    from mergekit.tokensurgeon.omp import batch_omp

    torch.set_num_threads(1)
    torch.manual_seed(0)
    points, wanted = torch.from_numpy(atoms), torch.from_numpy(targets)
    batch_omp(wanted[:2], points[:64], 2)
    start = time.process_time()
    chosen, weights = batch_omp(wanted, points, most)
    cpu = time.process_time() - start
    np.savez(folder / "mergekit.npz", chosen=chosen.numpy(), weights=weights.numpy())
    return {"cpu": cpu, "once": 0.0}


def run_child(python: str, name: str, folder: Path, most: int) -> dict:
    command = [python, __file__, "--child", name, str(folder), str(most)]
    root = str(Path(__file__).resolve().parents[1])
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": root}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def compare_results(folder: Path) -> dict:
    """How many tokens have the same atoms in the same order, and how their weights differ."""
    ours, theirs = (np.load(folder / f"{name}.npz") for name in ("tokkit", "mergekit"))
    same = (ours["chosen"] == theirs["chosen"]).all(axis=1)
    left, right = ours["weights"][same], theirs["weights"][same]
    differences = np.abs(left - right)
    return {
        "same": int(same.sum()),
        "of": int(same.size),
        "largest": float(differences.max(initial=0)),
        "relative": float((differences.max(axis=1) / np.abs(right).max(axis=1)).max(initial=0)),
    }


def measure(rival: str, atoms: int, targets: int, width: int, most: int, rounds: int) -> dict:
    pythons = {"tokkit": sys.executable, "mergekit": rival}
    runs: dict[str, list[dict]] = {name: [] for name in pythons}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_matrices(folder, atoms, targets, width)
        for _ in range(rounds):
            for tool, python in pythons.items():
                runs[tool].append(run_child(python, tool, folder, most))
        equality = compare_results(folder)
    cpu = {
        tool: statistics.median(run["cpu"] for run in own) / targets * 1e3
        for tool, own in runs.items()
    }
    once = statistics.median(run["once"] for run in runs["tokkit"])
    whole = cpu["tokkit"] + once / TOKENS * 1e3
    return {
        "N": atoms,
        "H": width,
        "k": most,
        "B": targets,
        "tokkit ms": round(cpu["tokkit"], 2),
        "Gram s": round(once, 1),
        "mergekit ms": round(cpu["mergekit"], 2),
        "ratio": round(cpu["mergekit"] / cpu["tokkit"], 1),
        "with Gram": round(cpu["mergekit"] / whole, 1),
    } | equality


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--atoms", type=int, nargs="+", default=[16_384])
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--most", type=int, nargs="+", default=[8, 32, 64])
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for atoms in given.atoms:
        for width in given.widths:
            for most in given.most:
                row = measure(
                    given.rival_python, atoms, given.tokens, width, most, given.rounds
                )
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _name, _folder, _most = sys.argv[2:]
        _atoms, _targets = (
            np.load(Path(_folder, f"{each}.npy")) for each in ("atoms", "targets")
        )
        _run = {"tokkit": tokkit, "mergekit": mergekit}[_name]
        print(json.dumps(_run(_atoms, _targets, int(_most), Path(_folder))))
    else:
        main()
