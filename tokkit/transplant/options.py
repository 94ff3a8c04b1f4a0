"""What a transplantation is asked to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tokkit.corpus import Corpus, OnError, open_corpus
from tokkit.errors import UsageError
from tokkit.transplant.context import Settings
from tokkit.transplant.methods import METHODS, find_method

CalibrateBy = Literal["scalar", "token"]

DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16", "float64": "F64"}
"""What safetensors calls the dtypes that rows may be written in."""
UNTIED = ("last", "front-shrunk")
TIED = ("mean-shrunk", "mean-shrunk")
"""The methods for input and output unless the caller names others; see docs/log.md."""


@dataclass(frozen=True)
class Options:
    """What to do, besides which model and which tokenizer.

    Attributes:
        method_in: How new input rows are made; None: the default for this kind of model.
        method_out: The same for output rows.
        untie: Whether a head that is the input embedding becomes a matrix of its own.
        overrides: ``TARGET=SOURCE_TEXT``: what a target token is made from.
        settings: The settings of the methods.
        seed: Of everything random.
        model_tokenizer: Where the model's tokenizer is, if not in its folder.
        plan: A plan to use instead of making one.
        auxiliary: A folder or Hub id of a text encoder, for methods that need one.
        auxiliary_cache: Where its vectors are kept; None: the user's cache folder.
        corpus: Text to learn word vectors from.
        dictionary: ``wechsel``: a file of word pairs, a tab between them.
        donor: A model that was trained with the target tokenizer.
        hypernet: The folder of a hypernetwork for this model or one it was fine-tuned from.
        text_column: The field of a record that holds its text.
        on_error: Whether a bad record of any text ends the job or is left out.
        pad_to: Rows are a multiple of this.
        dtype: A key of `DTYPES` to write the rows in; None: as they are.
        device: Where rows are added up, and models run.
        chat_template: ``target``, ``source``, ``none``, or a file.
        calibrate: Text to calibrate the output on.
        calibrate_by: One scalar for all new rows, or a prior for each.
        tune: Steps to train the new rows for.
        tune_corpus: Text to train them on; `calibrate`'s if there is none.
        evaluate: Text to measure bits per byte on, before and after.
        verify: Whether the output is loaded and checked.
    """

    method_in: str | None = None
    method_out: str | None = None
    untie: bool = False
    overrides: Sequence[str] = ()
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    model_tokenizer: str | None = None
    plan: Path | None = None
    auxiliary: str | None = None
    auxiliary_cache: Path | None = None
    corpus: Sequence[str] = ()
    dictionary: Path | None = None
    donor: str | None = None
    hypernet: Path | None = None
    text_column: str = "text"
    on_error: OnError = "raise"
    pad_to: int = 1
    dtype: str | None = None
    device: str = "auto"
    chat_template: str = "target"
    calibrate: Sequence[str] = ()
    calibrate_by: CalibrateBy = "token"
    tune: int = 0
    tune_corpus: Sequence[str] = ()
    evaluate: Sequence[str] = ()
    verify: bool = False

    def __post_init__(self) -> None:
        for many in ("overrides", "corpus", "calibrate", "tune_corpus", "evaluate"):
            # Paths may be given as such; what was asked for is written down as text.
            object.__setattr__(self, many, tuple(map(str, getattr(self, many))))
        for name in (self.method_in, self.method_out):
            if name is not None:
                self._check_needs(name)
        if self.hypernet is not None and self.plan is None and "hypernet" not in self.needs:
            raise UsageError("--hypernet is for the method zett: add --method zett")
        if self.dtype is not None and self.dtype not in DTYPES:
            raise UsageError(f"no dtype {self.dtype!r}: choose one of {', '.join(DTYPES)}")
        if self.tune and not (self.tune_corpus or self.calibrate):
            raise UsageError("--tune needs text to train on: name it with --tune-corpus")

    def _check_needs(self, name: str) -> None:
        """Refuse a method without what it needs."""
        options = {
            "auxiliary": ("a text encoder", "--aux-model", self.auxiliary),
            "corpus": ("text", "--corpus", self.corpus),
            "donor": ("a model with the target tokenizer", "--donor", self.donor),
            "hypernet": ("a hypernetwork", "--hypernet", self.hypernet),
        }
        for need in sorted(find_method(name).needs):
            what, option, value = options[need]
            if not value and self.plan is None:
                raise UsageError(f"the method {name} needs {what}: name it with {option}")

    def methods(self, *, tied: bool) -> tuple[str, str]:
        """Return the methods for input and output of a model whose head is `tied` or not.

        Raises:
            UsageError: If a tied head is to be made in another way than the input.
        """
        default = TIED if tied and not self.untie else UNTIED
        chosen = (self.method_in or default[0], self.method_out or default[1])
        if tied and not self.untie and chosen[0] != chosen[1]:
            raise UsageError(
                f"the head of this model is its input embedding, so it cannot be made by "
                f"{chosen[1]!r} and the input by {chosen[0]!r}: add --untie, or name one method"
            )
        return chosen

    @property
    def needs(self) -> frozenset[str]:
        """What the methods that were named need."""
        names = [name for name in (self.method_in, self.method_out) if name is not None]
        return frozenset().union(*(METHODS[name].needs for name in names))

    def open(self, paths: Sequence[str]) -> Corpus:
        """Find the files of a text.

        Raises:
            CorpusError: If one is missing or damaged.
        """
        return open_corpus(paths, self.text_column, self.on_error)
