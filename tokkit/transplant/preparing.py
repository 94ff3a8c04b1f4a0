"""Opening everything a transplantation needs, and planning it; nothing is written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.corpus.sources import STDIN
from tokkit.errors import FormatError, MissingExtraError, ModelError, UsageError
from tokkit.formats import load
from tokkit.formats.nearest import nearest
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.align import align, read_overrides
from tokkit.transplant.cautions import cautions
from tokkit.transplant.context import SIDES, Auxiliary, Context, Donor, Progress, silent
from tokkit.transplant.options import DTYPES, Options
from tokkit.transplant.plan import Plan
from tokkit.transplant.planning import make_plan
from tokkit.transplant.predicting import check_hypernet, load_hypernet, reader_of
from tokkit.transplant.settings.numbers import describe_digits
from tokkit.transplant.settings.roles import INPUT, find_roles, match_roles, match_texts
from tokkit.transplant.settings.translation import Translation
from tokkit.weights.checkpoint import Checkpoint, fetch
from tokkit.weights.locate import Embeddings, head_name, locate

if TYPE_CHECKING:
    from tokkit.hypernet.hypernet import Hypernet

TOKENIZER_FILES = ("*.json", "*.model", "*.txt", "*.jinja", "*.tiktoken")
"""What a repository of the Hub may say about its tokenizer."""
_ENDS = ("bos", "eos")
"""Roles that decide before how a special token is written."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A transplantation that only has to be carried out.

    Attributes:
        model: The model as it was named.
        tokenizer: The target tokenizer as it was named.
        options: What else was asked for.
        checkpoint: The model.
        embeddings: Where its embeddings are.
        head: The name of a head that is to be added; None: none is.
        translation: Both tokenizers, and how ids correspond.
        plan: What is to be done.
        target_place: Where the files of the target tokenizer are.
        hypernet: What predicts rows of the plan; None: nothing has to.
        inexact: What a ``tokenizer.json`` says otherwise than the file of the target, in words;
            empty if nothing.
    """

    model: str
    tokenizer: str
    options: Options
    checkpoint: Checkpoint
    embeddings: Embeddings
    head: str | None
    translation: Translation
    plan: Plan
    target_place: str
    hypernet: "Hypernet | None" = None
    inexact: str = ""

    @property
    def source(self) -> Tokenizer:
        """The tokenizer of the model."""
        return self.translation.source

    @property
    def target(self) -> Tokenizer:
        """The tokenizer it is moved onto."""
        return self.translation.target

    @property
    def tied(self) -> bool:
        """Whether the head of the result is its input embedding."""
        return self.embeddings.tied and self.head is None

    @property
    def rows_before(self) -> int:
        """How many rows the model has."""
        return self.checkpoint.tensors[self.embeddings.input].shape[0]

    @property
    def rows(self) -> int:
        """How many rows the result has."""
        wanted = self.rows_before if self.plan.is_identity else len(self.target.vocab)
        return -(-wanted // self.options.pad_to) * self.options.pad_to

    @property
    def dtype(self) -> str:
        """What the result's rows are stored as."""
        own = self.checkpoint.tensors[self.embeddings.input].dtype
        return own if self.options.dtype is None else DTYPES[self.options.dtype]

    @property
    def predictor(self) -> dict[str, str] | None:
        """The name and the digest of the hypernetwork that predicts rows, if one does."""
        if self.plan.hypernet is None:
            return None
        return {"name": str(self.options.hypernet), "digest": self.plan.hypernet}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know, in words."""
        said = [self.inexact] if self.inexact else []
        return (*said, *cautions(self.translation, self.plan, self.numbers))

    @cached_property
    def numbers(self) -> dict[str, dict[str, Any]]:
        """How numbers are cut before and after, as JSON."""
        return {
            "before": describe_digits(self.source),
            "after": describe_digits(self.target),
        }

    def as_json(self) -> dict[str, Any]:
        """What would be done, as JSON."""
        return {
            "model": self.model,
            "tokenizer": self.tokenizer,
            "rows": {"before": self.rows_before, "after": self.rows},
            "tied": {"before": self.embeddings.tied, "after": self.tied},
            "tensors": {
                name: tensor
                for name, tensor in (
                    ("input", self.embeddings.input),
                    ("output", self.head or self.embeddings.output),
                    ("bias", self.embeddings.bias),
                )
                if tensor is not None
            },
            "plan": self.plan.summary(),
            "hypernet": self.predictor,
            "warnings": list(self.warnings),
        }

    def __rich__(self) -> Any:
        from tokkit.transplant.showing import show_prepared

        return show_prepared(self)


def prepare(
    model: str | Path,
    tokenizer: str | Path,
    options: Options | None = None,
    *,
    progress: Progress = silent,
) -> Prepared:
    """Open a model and both tokenizers, and plan how the one is moved.

    Args:
        model: A folder written by ``save_pretrained``, or a Hub id.
        tokenizer: The target tokenizer: anything that `tokkit.load` reads.
        options: What else is asked for.
        progress: Told how far each step is.

    Raises:
        ModelError: If the model cannot be used.
        FormatError: If a tokenizer cannot be read.
        UsageError: If what is asked for does not go together.
        CorpusError: If a text is missing or damaged.
    """
    options = options or Options()
    for paths in (options.calibrate, options.tune_corpus, options.evaluate):
        if paths and STDIN not in paths:  # what is not there is missed before work is done
            options.open(paths)
    checkpoint = Checkpoint.open(model)
    embeddings = locate(checkpoint)
    progress("reading tokenizers", 0, 0)
    place = _fetch(tokenizer)
    source, target = _load_source(checkpoint, options), load(place)
    written, inexact = nearest(target)
    if inexact:  # All that is planned and measured has to be of what will be written.
        target = written
    translation = Translation(
        source,
        target,
        find_roles(source, options.model_tokenizer, checkpoint.config),
        find_roles(target, str(place)),
    )
    if options.untie and not embeddings.tied:
        raise UsageError(f"{model}: the head is a matrix of its own already: leave --untie out")
    head = head_name(checkpoint, embeddings) if options.untie else None
    tied = embeddings.tied and head is None
    hypernet = load_hypernet(options, checkpoint, source, progress)
    plan = _plan(translation, options, tied, hypernet, progress)
    return Prepared(
        str(model),
        str(tokenizer),
        options,
        checkpoint,
        embeddings,
        head,
        translation,
        plan,
        str(place),
        hypernet,
        inexact,
    )


def _fetch(tokenizer: str | Path) -> str | Path:
    """Fetch a tokenizer of the Hub with all its files: roles and template are in others."""
    if Path(tokenizer).exists():
        return tokenizer
    try:
        return fetch(str(tokenizer), TOKENIZER_FILES)
    except (ModelError, MissingExtraError):
        return tokenizer  # what cannot be had is explained where it is loaded


def _load_source(checkpoint: Checkpoint, options: Options) -> Tokenizer:
    """Load the tokenizer of the model."""
    try:
        return load(options.model_tokenizer or checkpoint.folder)
    except FormatError as error:
        raise ModelError(f"{error}; name the model's tokenizer (--model-tokenizer)") from error


def _plan(
    translation: Translation,
    options: Options,
    tied: bool,
    hypernet: "Hypernet | None",
    progress: Progress,
) -> Plan:
    """Take the plan that was named, or make one."""
    source, target = translation.source, translation.target
    if options.plan is not None:
        plan = Plan.load(options.plan)
        for name, vocab, tokenizer in (
            ("model's", plan.source, source),
            ("target", plan.target, target),
        ):
            if vocab != tokenizer.vocab:
                raise UsageError(
                    f"{options.plan}: this plan was made for another {name} tokenizer "
                    f"(of {len(vocab)} tokens, this one has {len(tokenizer.vocab)})"
                )
        check_hypernet(plan, options, hypernet)
        return plan
    method_in, method_out = options.methods(tied=tied)
    progress("aligning vocabularies", 0, 0)
    context = replace(
        _context(translation, options, tied, progress), hypernet=reader_of(hypernet)
    )
    progress("planning rows", 0, 0)
    return make_plan(context, method_in, method_out)


def _context(
    translation: Translation, options: Options, tied: bool, progress: Progress
) -> Context:
    """Gather what methods may look at."""
    source, target = translation.source, translation.target
    roles = translation.source_roles, translation.target_roles
    alignment = align(
        source,
        target,
        roles=_match_specials(translation, match_roles(*roles, prefer=INPUT)),
        output_roles=_match_specials(translation, match_roles(*roles)),
        overrides=read_overrides(source, target, options.overrides),
    )
    return Context(
        source,
        target,
        alignment,
        [target.vocab.tokens[token] for token in alignment.new.tolist()],
        options.settings,
        options.seed,
        auxiliary=_auxiliary(options, progress),
        corpus=options.open(options.corpus) if options.corpus else None,
        donor=_donor(options, target, tied),
        dictionary=_pairs(options.dictionary) if options.dictionary else None,
        progress=progress,
    )


def _match_specials(translation: Translation, by_role: Mapping[int, int]) -> dict[int, int]:
    """Match what begins and ends texts by role, others as they are written, then by role."""
    roles = translation.target_roles
    ends = {roles[role] for role in _ENDS if role in roles}
    first = {token: found for token, found in by_role.items() if token in ends}
    texts = match_texts(translation.source, translation.target)
    return {**by_role, **texts, **first}


def _auxiliary(options: Options, progress: Progress) -> Auxiliary | None:
    """Load the text encoder, if a method needs it."""
    if options.auxiliary is None or "auxiliary" not in options.needs:
        return None
    from tokkit.transplant.methods.auxiliary import default_folder, load_auxiliary

    device = "cpu" if options.device == "auto" else options.device
    cache = options.auxiliary_cache or default_folder()
    return load_auxiliary(options.auxiliary, device, cache, progress)


def _donor(options: Options, target: Tokenizer, tied: bool) -> Donor | None:
    """Load the donor model, if a method needs it.

    For rows that are read and predicted alike the donor's head is asked: an error in what is
    predicted costs far more than one in what is read (docs/log.md has the figures).
    """
    if options.donor is None or "donor" not in options.needs:
        return None
    from tokkit.transplant.methods.donor import load_donor

    donor = load_donor(options.donor, target)
    if tied:
        return replace(donor, rows=dict.fromkeys(SIDES, donor.rows["output"]))
    return donor


def _pairs(path: Path) -> list[tuple[str, str]]:
    """Read pairs of words, a tab between the two of a line."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--dictionary {path}: cannot be read ({error})") from None
    pairs = []
    for number, line in enumerate(lines, start=1):
        first, tab, second = line.rstrip("\r").partition("\t")
        if line.strip() and not (tab and first and second):
            raise UsageError(f"--dictionary {path}, line {number}: no two words and a tab")
        if tab:
            pairs.append((first, second))
    return pairs


def special_tokens(prepared: Prepared) -> list[dict[str, Any]]:
    """Say what each special token of the target is made from, as JSON."""
    plan, target = prepared.plan, prepared.target.vocab
    roles: dict[int, list[str]] = {}
    for role, token in prepared.translation.target_roles.items():
        roles.setdefault(token, []).append(role)
    said = []
    for text, token in sorted(target.specials.items(), key=lambda item: item[1]):
        parts: Mapping[str, Any] = plan.explain(token)
        said.append(
            {
                "id": token,
                "token": text,
                "roles": roles.get(token, []),
                "origin": parts["input"]["origin"],
                "input": [part["token"] for part in parts["input"]["parts"]],
                "output": [part["token"] for part in parts["output"]["parts"]],
            }
        )
    return said
