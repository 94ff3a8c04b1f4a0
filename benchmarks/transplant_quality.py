"""Bits per byte after transplants by many methods, relative to the source model.

    OMP_NUM_THREADS=1 python -m benchmarks.transplant_quality FOLDER --seeds 0 1 2 \
        --auxiliary ENCODER --results build/quality.jsonl

`FOLDER` is what `benchmarks.reference_models` makes. Every method moves every source model onto
every target tokenizer in memory; what is done is kept in the file of results, and left alone
the next time. All models read the same segments of held-out text.

A method is ``LAYOUT:IN/OUT[+scalar|+token]``: LAYOUT is ``untied``, ``tied`` or ``untie`` (a
tied model that gets a head of its own); ``+`` calibrates. Behind IN or OUT, ``~A`` moves the
new rows a share A towards the mean of the source's rows, ``~nP`` those of n pieces a share
``1 - n^-P``; and ``^B`` adds to all of them B times what their mean lacks to that mean.
"""

import argparse
import copy
import json
import math
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from benchmarks.reference_models import SEGMENT, TARGETS, read_lines

RIVALS = {
    "FVT / ReTok": "mean/mean",
    "TokenAdapt": "tokenadapt/tokenadapt",
    "FOCUS": "focus/focus",
    "OMP": "omp/omp",
    "transplant-vocab": "last/front",
}
UNTIED = [
    *RIVALS.values(),
    *("random/random", "last/mean", "last/tokenadapt"),
    *("last/front~n1", "last/front~n0.75", "last/mean~n1", "mean/front~n1", "last~n1/front~n1"),
    *("last/front~0.5", "last/front^1", "last/front^1~0.2"),
    *("last/front~n1+scalar", "last/front~n1+token", "last/front+scalar", "last/front+token"),
]
TIED = [
    *("mean/mean", "tokenadapt/tokenadapt", "focus/focus", "omp/omp", "last/last"),
    *("mean/mean~n1", "mean/mean~n0.75", "front/front~n1", "mean/mean~0.3", "mean/mean^1~0.2"),
    *("mean/mean~n1+scalar", "mean/mean~n1+token"),
]
UNTIE = [
    *("last/front", "last/front~n1", "last/front~n1+scalar", "last/front~n1+token"),
]
METHODS = [
    *(f"untied:{name}" for name in UNTIED),
    *(f"tied:{name}" for name in TIED),
    *(f"untie:{name}" for name in UNTIE),
]
FORM = re.compile(r"(\w+):([^/]+)/([^+]+)\+?(\w*)")
SIDE = re.compile(r"([a-z-]+)(?:\^([\d.]+))?(?:~(n?)([\d.]+))?")


@dataclass(frozen=True)
class Place:
    """Where everything lies, and how much of it to use."""

    folder: Path
    auxiliary: str
    size: int
    positions: int

    def target(self, name: str) -> Path:
        return self.folder / "tokenizers" / name

    @cached_property
    def documents(self) -> list[bytes]:
        """Held-out documents of all kinds."""
        found = []
        for path in sorted((self.folder / "eval").glob("*.jsonl")):
            rest = self.size
            for text in read_lines(path):
                if rest > 0:
                    found.append(text)
                    rest -= len(text)
        return found

    @cached_property
    def calibration(self) -> list[bytes]:
        return read_lines(self.folder / "text" / "calibration.jsonl")


class Source:
    """A source model, and what held-out text costs under it."""

    def __init__(self, place: Place, name: str) -> None:
        from tokkit.lm import HFModel
        from tokkit.lm.score import score, segments

        self.place = place
        self.folder = place.folder / "models" / name
        self.model = HFModel.load(self.folder)
        parts = [segments([text], SEGMENT) for text in place.documents]
        self.segments = [part for own in parts for part in own]
        self.owners = np.repeat(np.arange(len(parts)), [len(own) for own in parts])
        self.nats = self.by_document(score(self.model, self.segments).nats)
        torch_model = self.model.model
        self.input = torch_model.get_input_embeddings().weight.detach().numpy()
        self.output = torch_model.get_output_embeddings().weight.detach().numpy()

    def by_document(self, nats: np.ndarray) -> np.ndarray:
        return np.bincount(self.owners, nats, minlength=len(self.place.documents))


@cache
def plan(place: Place, folder: Path, target: str, method: str):
    """Plan a method for both sides; the same for every model with these tokenizers."""
    from tokkit.transplant.options import Options
    from tokkit.transplant.preparing import prepare

    needs_donor = method in ("omp", "knn", "ridge")
    options = Options(
        method_in=method,
        method_out=method,
        auxiliary=place.auxiliary if method == "tokenadapt" else None,
        corpus=[str(place.folder / "text" / "train.jsonl")] if method == "focus" else (),
        donor=str(place.folder / "models" / f"donor-{target}") if needs_donor else None,
    )
    return prepare(folder, place.target(target), options).plan


class Transplant:
    """A source model and a target tokenizer, and the matrices that methods make."""

    def __init__(self, source: Source, target: str) -> None:
        self.source, self.target = source, target
        self.matrices: dict = {}

    def plan(self, method: str):
        place, model = self.source.place, "source-s0"
        return plan(place, place.folder / "models" / model, self.target, method)

    @property
    def new(self) -> np.ndarray:
        return self.plan("mean").halves["output"].guesses

    def matrix(self, name: str, side: str):
        """Return what a method makes of one side."""
        from tokkit.transplant.matrix import Matrix

        if (name, side) not in self.matrices:
            method, centre, by_pieces, share = SIDE.fullmatch(name).groups()
            made = self.plan(method)
            values = self.source.input if side == "input" else self.source.output
            half = Matrix(made, side, values)
            rows = np.concatenate([*half.blocks(len(made.target), "F32")])
            middle, new = half.virtual[0].astype(np.float32), self.new
            if centre:
                rows[new] += np.float32(centre) * (middle - rows[new].mean(0))
            if share:
                pieces = self.plan("mean").halves["output"].rows.counts[new, None]
                move = 1 - pieces ** -float(share) if by_pieces else float(share)
                rows[new] += np.float32(move) * (middle - rows[new])
            self.matrices[name, side] = rows
        return self.matrices[name, side]

    def model(self, rows: np.ndarray, head: np.ndarray | None = None):
        """Put matrices into a copy of the model; a tied one has no head of its own."""
        import torch

        import tokkit
        from tokkit.lm import HFModel

        inside = copy.deepcopy(self.source.model.model)
        weight = torch.nn.Parameter(torch.from_numpy(rows.copy()), requires_grad=False)
        inside.get_input_embeddings().weight = weight
        if head is not None:
            weight = torch.nn.Parameter(torch.from_numpy(head.copy()), requires_grad=False)
        inside.get_output_embeddings().weight = weight
        inside.config.vocab_size = len(rows)
        folder = self.source.place.target(self.target)
        return HFModel(inside, tokkit.load(folder), name=self.target, files=str(folder))

    def measure(self, name: str) -> np.ndarray:
        """Return the nats of each document after a transplant by a method."""
        layout, first, second, by = FORM.fullmatch(name).groups()
        head = self.matrix(second, "output")
        if layout == "tied":
            rows, model = head, self.model(head)
        else:
            rows = self.matrix(first, "input")
            model = self.model(rows, head)
        if by:
            model = self.calibrated(model, by, rows, head, layout == "tied")
        return self.cost(model)

    def cost(self, model) -> np.ndarray:
        from tokkit.lm.score import score

        return self.source.by_document(score(model, self.source.segments).nats)

    def calibrated(self, model, by: str, rows: np.ndarray, head: np.ndarray, tied: bool):
        """Calibrate the head on the text for that."""
        from tokkit.transplant.running.calibrate import calibrate

        place = self.source.place
        found = calibrate(
            model, np.flatnonzero(self.new), place.calibration, by=by, positions=place.positions
        )
        print(json.dumps(found.as_json()), flush=True)
        head = head.copy()
        head[found.ids] = found.rows
        return self.model(head) if tied else self.model(rows, head)


def run(place: Place, seeds: list[int], targets: list[str], names: list[str], file: Path):
    """Measure what is not in the file yet."""
    done = {(line["model"], line["target"], line["method"]) for line in read(file)}
    for seed in seeds:
        for model in (f"source-s{seed}", f"source-tied-s{seed}"):
            wanted = [name for name in names if name.startswith("untied") != ("tied-" in model)]
            if not (place.folder / "models" / model / "reference.json").exists():
                continue
            if all((model, t, n) in done for t in targets for n in wanted):
                continue
            source = Source(place, model)
            for target in targets:
                moved = Transplant(source, target)
                for name in wanted:
                    is_donor = "omp" in name or "knn" in name or "ridge" in name
                    donor = place.folder / "models" / f"donor-{target}" / "reference.json"
                    if (model, target, name) in done or (is_donor and not donor.exists()):
                        continue
                    after = moved.measure(name)
                    line = {
                        "model": model,
                        "target": target,
                        "method": name,
                        "before": [round(x, 3) for x in source.nats.tolist()],
                        "after": [round(x, 3) for x in after.tolist()],
                    }
                    ratio = after.sum() / source.nats.sum()
                    print(f"{model} {target} {name} {ratio:.4f}", flush=True)
                    with file.open("a") as out:
                        out.write(json.dumps(line) + "\n")


def read(file: Path) -> list[dict]:
    """Read what was measured before."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def table(lines: list[dict]) -> str:
    """Mean ratio over models, with the interval of resampling the documents, as Markdown."""
    from tokkit.stats import ratio_interval

    targets = [name for name in TARGETS if any(line["target"] == name for line in lines)]
    rows = [f"| method | {' | '.join(targets)} | all |", "|---" * (len(targets) + 2) + "|"]
    for name in sorted({line["method"] for line in lines}, key=order):
        cells = []
        pooled = []
        for target in targets:
            own = [x for x in lines if x["method"] == name and x["target"] == target]
            if not own:
                cells.append("–")
                continue
            # Each model counts the same, whatever its own bits per byte.
            after = sum(np.array(x["after"]) / sum(x["before"]) for x in own)
            before = sum(np.array(x["before"]) / sum(x["before"]) for x in own)
            pooled.append((after, before))
            cells.append(f"{ratio_interval(after, before)} ({len(own)})")
        mean = ratio_interval(sum(a for a, _ in pooled), sum(b for _, b in pooled))
        cells.append(str(mean) if len(pooled) == len(targets) else "–")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def order(name: str) -> tuple:
    return (METHODS.index(name) if name in METHODS else math.inf, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--methods", nargs="*", default=METHODS)
    parser.add_argument("--auxiliary", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--bytes", type=int, default=25_000, help="of each kind of text")
    parser.add_argument("--positions", type=int, default=12_000, help="to calibrate on")
    parser.add_argument("--results", type=Path, default=Path("build/transplant_quality.jsonl"))
    options = parser.parse_args()
    place = Place(options.folder, options.auxiliary, options.bytes, options.positions)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    run(place, options.seeds, options.targets, options.methods, options.results)
    print(table(read(options.results)))


if __name__ == "__main__":
    main()
