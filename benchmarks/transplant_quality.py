"""Bits per byte after transplants by many methods, relative to the source model.

    OMP_NUM_THREADS=1 python -m benchmarks.transplant_quality FOLDER --seeds 0 1 2 \
        --auxiliary ENCODER --results build/transplant_quality

`FOLDER` is what `benchmarks.reference_models` makes. Every method moves every source model onto
every target tokenizer in memory. What is done is kept in the folder of results, plans too, and
left alone the next time. All models read the same segments of held-out text.

`zett` is measured for models that have a hypernetwork (`--hypernet source-s0=DIR ...`); what
another one gave does not count as done.

A method is ``LAYOUT:IN/OUT[+scalar|+token]``: LAYOUT is ``untied``, ``tied`` or ``untie`` (a
tied model that gets a head of its own); ``+`` calibrates. Behind IN or OUT, ``^`` adds to all
new rows what their mean lacks to the mean of the source's rows, and ``~A`` then moves them a
share A towards that mean; ``omp@8`` takes 8 atoms.
"""

import argparse
import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.reference_models import SEGMENT, TARGETS, cut, read_lines

if TYPE_CHECKING:
    import torch

    from tokkit.hypernet.hypernet import Hypernet
    from tokkit.lm import HFModel
    from tokkit.transplant.plan import Plan

Floats = NDArray[np.float32]
Costs = NDArray[np.float64]
Side = Literal["input", "output"]
By = Literal["scalar", "token"]
METHODS = {
    "untied": [
        *("last/front-shrunk", "last/front-shrunk+scalar", "last/front-shrunk+token"),
        *("mean/mean", "last/front", "tokenadapt/tokenadapt", "focus/focus", "omp/omp"),
        *("last/tokenadapt", "global-mean/global-mean", "random/random"),
        *("last/front+token", "last/tokenadapt+token", "mean-shrunk/front-shrunk"),
        *("last/front^", "last/front^~0.2"),
        *("omp@8/omp@8", "knn/knn", "ridge/ridge", "ridge/ridge+token"),
        *("zett/zett", "zett/zett+scalar", "zett/zett+token"),
        *("zett/front-shrunk", "last/zett"),
    ],
    "tied": [
        *("mean-shrunk/mean-shrunk", "mean-shrunk/mean-shrunk+scalar"),
        *("mean-shrunk/mean-shrunk+token", "mean/mean", "tokenadapt/tokenadapt"),
        *("focus/focus", "omp/omp", "global-mean/global-mean", "random/random"),
        *("mean/mean+token", "tokenadapt/tokenadapt+token", "mean/mean^", "mean/mean^~0.2"),
        *("omp@8/omp@8", "knn/knn", "ridge/ridge"),
        *("zett/zett", "zett/zett+scalar", "zett/zett+token"),
    ],
    "untie": ["last/front-shrunk", "last/front-shrunk+token"],
}
DEFAULTS = {
    "untied": "untied:last/front-shrunk",
    "tied": "tied:mean-shrunk/mean-shrunk",
    "untie": "tied:mean-shrunk/mean-shrunk",
}
"""What the methods of each layout are compared with."""
RIVALS = {
    "mean/mean": "FVT, ReTok",
    "last/front": "transplant-vocab",
    "tokenadapt/tokenadapt": "TokenAdapt",
    "focus/focus": "FOCUS",
    "omp/omp": "OMP",
    "zett/zett": "ZeTT",
}
NAMES = [f"{layout}:{name}" for layout, names in METHODS.items() for name in names]
FORM = re.compile(r"(untied|tied|untie):([^/]+)/([^+]+)\+?(scalar|token|)")
SIDE = re.compile(r"([a-z-]+(?:@\d+)?)(\^?)(?:~([\d.]+))?")


@dataclass(frozen=True)
class Place:
    """Where everything lies, and what is read.

    Attributes:
        folder: What `benchmarks.reference_models` made.
        results: Where measures and plans are kept.
        auxiliary: A text encoder.
        skip: Bytes of each kind of text to leave out, of the first documents.
        longest: Bytes of a document that are read: more documents, not longer ones.
        hypernets: Hypernetworks, by the name of the model they are for.
    """

    folder: Path
    results: Path
    auxiliary: str
    skip: int
    longest: int
    hypernets: Mapping[str, Path] = field(default_factory=dict)

    def target(self, name: str) -> Path:
        return self.folder / "tokenizers" / name

    def model(self, name: str) -> Path | None:
        """Return a model's folder if the model is complete."""
        folder = self.folder / "models" / name
        return folder if (folder / "reference.json").exists() else None

    @cached_property
    def documents(self) -> list[bytes]:
        """Held-out documents of all kinds."""
        found = []
        for path in sorted((self.folder / "eval").glob("*.jsonl")):
            left_out = 0
            for text in read_lines(path):
                if left_out < self.skip:
                    left_out += len(text)
                else:
                    found.append(cut(text.decode(), self.longest).encode())
        return found

    @cached_property
    def calibration(self) -> list[bytes]:
        return read_lines(self.folder / "text" / "calibration.jsonl")

    def digest(self, model: str, method: str) -> str | None:
        """Return what the hypernetwork that a method needs is recognised by; None: none is."""
        if "zett" not in method or model not in self.hypernets:
            return None
        told = json.loads((self.hypernets[model] / "hypernet.json").read_bytes())
        return str(told["digest"])

    def plan(self, target: str, method: str) -> "Plan":
        """Plan a method for both sides; the same for every model with the source tokenizer."""
        from tokkit.transplant.context import Settings
        from tokkit.transplant.options import Options
        from tokkit.transplant.plan import Plan
        from tokkit.transplant.preparing import prepare

        file = self.results / "plans" / f"{target}-{method}.plan"
        if not file.exists():
            name, _, atoms = method.partition("@")
            options = Options(
                method_in=name,
                method_out=name,
                settings=Settings(atoms=int(atoms)) if atoms else Settings(),
                auxiliary=self.auxiliary,
                corpus=[str(self.folder / "text" / "train.jsonl")],
                donor=str(self.folder / "models" / f"donor-{target}"),
            )
            any_model = self.folder / "models" / "source-s0"
            file.parent.mkdir(parents=True, exist_ok=True)
            prepare(any_model, self.target(target), options).plan.save(file)
        return Plan.load(file)


class Source:
    """A source model, and what held-out text costs under it."""

    def __init__(self, place: Place, folder: Path) -> None:
        from tokkit.lm import HFModel
        from tokkit.lm.score import segments

        self.place, self.folder = place, folder
        self.model = HFModel.load(folder)
        parts = [segments([text], SEGMENT) for text in place.documents]
        self.segments = [part for own in parts for part in own]
        self.owners = np.repeat(np.arange(len(parts)), [len(own) for own in parts])
        self.nats = self.cost(self.model)
        inside = self.model.model
        self.matrices: dict[str, Floats] = {
            "input": inside.get_input_embeddings().weight.detach().numpy(),
            "output": inside.get_output_embeddings().weight.detach().numpy(),
        }

    @cached_property
    def hypernet(self) -> "Hypernet":
        """The hypernetwork for this model; rows are remembered for its two sides."""
        from tokkit.hypernet.hypernet import Hypernet
        from tokkit.hypernet.source import SourceRows

        rows = SourceRows.of(self.model.model, self.model.tokenizer)
        return Hypernet.load(self.place.hypernets[self.folder.name], rows, cache=50_000)

    def plan(self, target: str, method: str) -> "Plan":
        """Plan a method; what a hypernetwork predicts is no other model's."""
        if method != "zett":
            return self.place.plan(target, method)
        from tokkit.transplant import Options, prepare

        hypernet = self.place.hypernets[self.folder.name]
        options = Options(method_in=method, method_out=method, hypernet=hypernet)
        return prepare(self.folder, self.place.target(target), options).plan

    def predict(self, target: "Plan", ids: NDArray[np.int32], side: Side) -> Floats:
        """Predict the rows of target ids."""
        found = self.hypernet.predict([target.target.tokens[token] for token in ids.tolist()])
        return found.input if side == "input" else found.output

    def cost(self, model: "HFModel") -> Costs:
        """Return the nats of each document."""
        from tokkit.lm.score import score

        # With larger batches, and so more logits at once, this takes twice the time.
        nats = score(model, self.segments, batch_tokens=1024).nats
        return np.bincount(self.owners, nats).astype(np.float64)


class Transplant:
    """A source model and a target tokenizer, and the matrices that methods make."""

    def __init__(self, source: Source, target: str) -> None:
        self.source, self.target = source, target
        self.plans: dict[str, Plan] = {}

    def plan(self, method: str) -> "Plan":
        if method not in self.plans:
            self.plans[method] = self.source.plan(self.target, method)
        return self.plans[method]

    @cached_property
    def new(self) -> NDArray[np.bool_]:
        """Which target rows are guesses."""
        return self.plan("mean").halves["output"].guesses

    def matrix(self, name: str, side: Side) -> Floats:
        """Return what a method makes of one side."""
        from tokkit.transplant.matrix import Matrix

        found = SIDE.fullmatch(name)
        assert found is not None, name
        method, centred, share = found.groups()
        plan = self.plan(method)
        half = Matrix(
            plan,
            side,
            self.source.matrices[side],
            predict=lambda ids: self.source.predict(plan, ids, side),
        )
        rows: Floats = np.concatenate([*half.blocks(len(plan.target), "F32")])
        middle = half.virtual[0].astype(np.float32)
        if centred:
            rows[self.new] += middle - rows[self.new].mean(0)
        if share:
            rows[self.new] += np.float32(share) * (middle - rows[self.new])
        return rows

    def model(self, rows: Floats, head: Floats | None) -> "HFModel":
        """Put matrices into a copy of the model; a tied one has no head of its own."""
        import tokkit
        from tokkit.lm import HFModel

        inside = copy.deepcopy(self.source.model.model)
        weight = parameter(rows)
        inside.get_input_embeddings().weight = weight
        inside.get_output_embeddings().weight = weight if head is None else parameter(head)
        inside.config.vocab_size = len(rows)
        folder = self.source.place.target(self.target)
        return HFModel(inside, tokkit.load(folder), name=self.target, files=str(folder))

    def measure(self, name: str) -> Costs:
        """Return the nats of each document after a transplant by a method."""
        found = FORM.fullmatch(name)
        assert found is not None, name
        layout, first, second, by = found.groups()
        rows, head = self.matrix(second, "output"), None
        # For both sides of a tied model: a donor's head makes far better rows than its input.
        if layout != "tied":
            rows, head = self.matrix(first, "input"), rows
        model = self.model(rows, head)
        if by:
            model = self.calibrated(model, cast("By", by), rows, head)
        return self.source.cost(model)

    def calibrated(
        self, model: "HFModel", by: By, rows: Floats, head: Floats | None
    ) -> "HFModel":
        """Calibrate the head on the text for that."""
        from tokkit.transplant.running.calibrate import calibrate

        text = self.source.place.calibration
        found = calibrate(model, np.flatnonzero(self.new), text, by=by)
        changed = rows if head is None else head
        assert found.rows is not None
        changed[found.ids] = found.rows
        return self.model(rows, head)


def parameter(values: Floats) -> "torch.nn.Parameter":
    import torch

    return torch.nn.Parameter(torch.from_numpy(values.copy()), requires_grad=False)


def run(place: Place, models: list[str], targets: list[str], names: list[str]) -> None:
    """Measure what is not in the results yet, of models that are complete."""
    done = {
        (line["model"], line["target"], line["method"], line.get("hypernet"))
        for line in read(place)
    }
    for model in models:
        own = [name for name in names if name.startswith("untied:") != ("tied-" in model)]
        wanted = [
            (target, name)
            for target in targets
            for name in own
            if (model, target, name, place.digest(model, name)) not in done
            and (not re.search("omp|knn|ridge", name) or place.model(f"donor-{target}"))
            and ("zett" not in name or model in place.hypernets)
        ]
        folder = place.model(model)
        if not wanted or folder is None:
            continue
        source = Source(place, folder)
        moved = {target: Transplant(source, target) for target in targets}
        for target, name in wanted:
            after = moved[target].measure(name)
            ratio = after.sum() / source.nats.sum()
            print(f"{model} {target} {name} {ratio:.4f}", flush=True)
            line: dict[str, Any] = {"model": model, "target": target, "method": name}
            if digest := place.digest(model, name):
                line["hypernet"] = digest
            costs = {"before": source.nats.tolist(), "after": after.tolist()}
            with (place.results / "measures.jsonl").open("a") as file:
                file.write(json.dumps(line | costs) + "\n")


def read(place: Place) -> list[dict[str, Any]]:
    """Read what was measured before."""
    file = place.results / "measures.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


class Measures:
    """Costs of documents by method and target, as Markdown tables."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.costs: dict[tuple[str, str], dict[str, Costs]] = {}
        for line in lines:
            # Each model counts the same, whatever its own bits per byte.
            for name, part in ((line["method"], "after"), ("source", "before")):
                cost = np.array(line[part]) / sum(line["before"])
                self.costs.setdefault((name, line["target"]), {})[line["model"]] = cost

    def ratio(self, name: str, other: str, targets: list[str]) -> str:
        """Ratio of two methods, paired by document, with its interval; over models' mean."""
        from tokkit.stats import ratio_interval

        above, below = self.pairs(name, other, targets)
        return str(ratio_interval(sum(above), sum(below))) if above else "–"

    def pairs(
        self, name: str, other: str, targets: list[str]
    ) -> tuple[list[Costs], list[Costs]]:
        """The costs by document of all models and targets that both methods have."""
        found = [
            (cost, self.costs[other, target][model])
            for target in targets
            for model, cost in self.costs.get((name, target), {}).items()
            if model in self.costs.get((other, target), {})
        ]
        return [a for a, _ in found], [b for _, b in found]

    def extent(self, name: str, other: str, targets: list[str]) -> str:
        """The lowest and the highest ratio, model by model and target by target."""
        above, below = self.pairs(name, other, targets)
        ratios = [a.sum() / b.sum() for a, b in zip(above, below, strict=True)]
        return f"{min(ratios):.3f}–{max(ratios):.3f} ({len(ratios)})" if ratios else "–"

    def table(self, layout: str, targets: list[str], *, relative: bool) -> str:
        """Tell all methods of a layout by target, relative to the source or the default."""
        other = DEFAULTS[layout] if relative else "source"
        head = [f"{layout}, relative to {other}", *targets, "all", "lowest–highest (count)"]
        rows = [f"| {' | '.join(head)} |", "|---" + "|--:" * (len(head) - 1) + "|"]
        known = {name for name, _ in self.costs if name.startswith(f"{layout}:")}
        for name in sorted(known, key=lambda name: [*NAMES, name].index(name)):
            cells = [self.ratio(name, other, [target]) for target in targets]
            if not relative:
                cells = [cell.split()[0] for cell in cells]
            cells += [self.ratio(name, other, targets), self.extent(name, other, targets)]
            short = name.split(":")[1]
            label = f"{short} ({RIVALS[short]})" if short in RIVALS else short
            rows.append(f"| {label} | {' | '.join(cells)} |")
        return "\n".join(rows)


def main() -> None:
    """Measure what is missing, and print tables of everything."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--methods", nargs="*", default=NAMES)
    parser.add_argument("--auxiliary", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--skip", type=int, default=12_000, help="bytes of each kind of text")
    parser.add_argument("--longest", type=int, default=1_000, help="bytes of a document")
    parser.add_argument("--results", type=Path, default=Path("build/transplant_quality"))
    parser.add_argument("--hypernet", nargs="*", default=[], metavar="MODEL=DIR")
    options = parser.parse_args()
    pairs = [each.split("=", 1) for each in options.hypernet]
    place = Place(
        options.folder,
        options.results,
        options.auxiliary,
        options.skip,
        options.longest,
        {model: Path(folder) for model, folder in pairs},
    )
    place.results.mkdir(parents=True, exist_ok=True)
    models = [f"source{tied}-s{seed}" for seed in options.seeds for tied in ("", "-tied")]
    run(place, models, options.targets, options.methods)
    measures = Measures(read(place))
    for layout in METHODS:
        for relative in (False, True):
            print(measures.table(layout, options.targets, relative=relative), end="\n\n")


if __name__ == "__main__":
    main()
