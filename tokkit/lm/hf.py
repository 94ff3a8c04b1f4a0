"""Language models of transformers: trees of tokens in one forward pass where possible."""

import logging
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

from tokkit.errors import MissingExtraError, ModelError
from tokkit.lm.hf_tree import HFTree
from tokkit.lm.model import Logprobs, Tree, Usage
from tokkit.tokenizer import Tokenizer

try:
    import torch  # noqa: F401
    import transformers  # noqa: F401
except ModuleNotFoundError as missing:
    raise MissingExtraError("torch", "torch") from missing

from tokkit.lm.hf_check import Verdict, judge
from tokkit.lm.hf_load import (
    context_of,
    load_model,
    load_tokenizer,
    quiet,
    start_and_ends,
)
from tokkit.lm.hf_run import Runner
from tokkit.lm.roles import named_specials

_log = logging.getLogger("tokkit")
_JUDGING = RLock()


class HFModel:
    """A causal language model of transformers, with its tokenizer.

    The torch model is put into evaluation mode. Trees are run with tree attention: a mask that
    lets every node see its ancestors alone. Where an architecture cannot take one, which is
    found out with up to five small forward passes the first time (`check_usage`), whole
    prefixes are run again each time, and the logger ``tokkit`` says so.

    Several threads may use one, each with trees of its own, if torch lets them run the model.

    Attributes:
        name: What it is called in results.
        tokenizer: How its text becomes tokens.
        vocab_size: How many ids a row has; ids beyond the tokenizer's stay in.
        start: The ids before every text.
        ends: The ids that end a text.
        context: The most tokens a sequence may have. Where rotations grow with the text
            (``rope_type`` ``"dynamic"`` or ``"longrope"``), as many as leave them alone.
        usage: The forward passes so far.
        check_usage: Those that found out how the model can be run.

    Example:
        >>> model = HFModel.load("stories260k")
        >>> tree = model.tree()
        >>> node = tree.add(0, 403)
        >>> [rows] = model.evaluate([tree])
        >>> rows.shape
        (2, 512)
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        name: str | None = None,
        start: Sequence[int] | str | None = None,
        ends: Sequence[int] | None = None,
        files: str | None = None,
    ) -> None:
        """Take a torch model in memory.

        Args:
            model: What `AutoModelForCausalLM` gives; its weights stay where they are.
            tokenizer: The tokenizer it was made for.
            name: What to call it; None: its class.
            start: Ids, or special tokens as they are written, that come before every text;
                None: the token that begins texts, or else the one that ends them.
            ends: The ids that end a text; None: all that its configuration names.
            files: A folder or Hub id whose files say which tokens these are.

        Raises:
            ModelError: If text can have ids the model does not know, or nothing begins a text.
        """
        self.name = type(model).__name__ if name is None else name
        self.tokenizer = tokenizer
        self.model = model.eval()
        head = model.get_output_embeddings()
        config = model.config.get_text_config()
        weight = getattr(head, "weight", None)
        self.vocab_size = int(config.vocab_size if weight is None else weight.shape[0])
        self._known = min(self.vocab_size, int(model.get_input_embeddings().weight.shape[0]))
        self._check_tokenizer()
        names = None if files is None else named_specials(files)
        self.start, self.ends = start_and_ends(model, tokenizer, names, start, ends)
        self.context = context_of(config)
        self.usage = Usage()
        self.check_usage = Usage()
        self._runner = Runner(model, self.name, self.vocab_size)
        self._runner.usage = self.usage
        self._verdict: Verdict | None = None

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        tokenizer: str | Path | None = None,
        start: Sequence[int] | str | None = None,
    ) -> "HFModel":
        """Load a model from a folder or the Hugging Face Hub.

        Args:
            path: A folder written by ``save_pretrained``, or a Hub id.
            device: Such as ``"cpu"`` or ``"cuda:1"``; ``"auto"``: CUDA where there is some.
            dtype: Such as ``"float32"``; ``"auto"``: as the weights were saved.
            tokenizer: Where its tokenizer is, any that `tokkit.load` reads; None: in `path`.
            start: See the constructor.

        Raises:
            ModelError: If there is no model or no tokenizer, or they do not fit together.
            MissingExtraError: If torch is not installed.
        """
        files = str(path if tokenizer is None else tokenizer)
        if Path(path).is_dir() and not (Path(path) / "config.json").is_file():
            raise ModelError(
                f"{path}: no config.json in this folder: give one written by save_pretrained"
            )
        found = load_tokenizer(files)
        model = load_model(str(path), device, dtype)
        name = Path(path).name or str(path)
        return cls(model, found, name=name, start=start, files=files)

    def _check_tokenizer(self) -> None:
        """Refuse a tokenizer whose text can have ids that the model has no weights for."""
        tokens = self.tokenizer.vocab.tokens
        beyond = next((i for i in range(self._known, len(tokens)) if tokens[i]), None)
        if beyond is not None:
            raise ModelError(
                f"{self.name}: its tokenizer gives text the id {beyond}, but the model has "
                f"only {self._known} rows: name the tokenizer it was trained with (--tokenizer)"
            )

    @property
    def method(self) -> str:
        """How new nodes are run: ``"tree attention"`` or ``"prefixes rerun"``."""
        return "tree attention" if self._judged().trees else "prefixes rerun"

    def _judged(self) -> Verdict:
        """Find out, the first time, how the model can be run."""
        # While one thread tries ways to run the model, no other one may run it.
        with _JUDGING:
            if self._verdict is None:
                self._verdict = self._judge()
            return self._verdict

    def _judge(self) -> Verdict:
        tokens = self.tokenizer.vocab.tokens
        ids = [i for i, token in enumerate(tokens) if token][:1000]
        with quiet():
            verdict = judge(self._runner, ids or list(self.start), self.check_usage)
        self._runner.windows = verdict.windows
        if not verdict.trees:
            self._say("its architecture cannot be run with tree attention")
        return verdict

    def _say(self, reason: str) -> None:
        """Log that prefixes are run again."""
        _log.warning("%s: %s: whole prefixes are run again, which is slower", self.name, reason)

    def tree(self, context: Sequence[int] | None = None) -> HFTree:
        """Begin a tree whose node 0 is `context`, or `start`.

        Raises:
            ModelError: If the context is empty.
        """
        ids = self.start if context is None else tuple(map(int, context))
        if not ids:
            raise ModelError(f"{self.name}: a context has at least one token")
        return HFTree(ids)

    def evaluate(self, trees: Sequence[Tree]) -> list[Logprobs]:
        """Return, for each tree, the rows of its nodes that have none yet, in order.

        One forward pass, unless the logits would be more than 2**28.

        Returns:
            ``log P(next | sequence)``, ``float32[k, vocab_size]`` for each tree, ``float64`` of
            a model in ``float64``.

        Raises:
            ModelError: If a sequence is longer than `context`, an id is out of range, or a
                logit is not a number.
        """
        ours = [tree for tree in trees if isinstance(tree, HFTree)]
        if len(ours) < len(trees):
            raise TypeError(f"{self.name}: not all of these are trees that it has begun")
        active = [tree for tree in dict.fromkeys(ours) if tree.pending()]
        for tree in active:
            self._check(tree)
        rows: dict[HFTree, Logprobs] = {}
        if active and self._fits(active):
            # The others are rows of the same cache: next time it may be their turn.
            alive = [tree for tree in dict.fromkeys(ours) if not tree.reruns]
            rows = dict(zip(alive, self._runner.run_trees(alive), strict=True))
        elif active:
            rows = dict(zip(active, self._runner.run_prefixes(active), strict=True))
        nothing = np.zeros((0, self.vocab_size), dtype=np.float32)
        return [rows.pop(tree, nothing) for tree in ours]

    def _check(self, tree: HFTree) -> None:
        """Refuse ids that the model does not have and sequences that are too long for it."""
        first = tree.evaluated
        tokens = tree.tokens[first:] if first else [*tree.context, *tree.tokens[1:]]
        wrong = next((token for token in tokens if not 0 <= token < self._known), None)
        if wrong is not None:
            raise ModelError(f"{self.name}: id {wrong} is outside its {self._known} ids")
        length = max(tree.depths[first:]) + 1
        if self.context is not None and length > self.context:
            raise ModelError(
                f"{self.name}: a sequence of {length} tokens is longer than the context of "
                f"{self.context}: shorten the text"
            )

    def _fits(self, trees: Sequence[HFTree]) -> bool:
        """Tell whether trees can be run as they are."""
        verdict = self._judged()
        if not verdict.trees or any(tree.reruns for tree in trees):
            return False
        if verdict.limit is None:
            return True
        size = max((tree.batch.size for tree in trees if tree.batch), default=0)
        if size + max(len(tree.new_tokens(tree.pending())) for tree in trees) <= verdict.limit:
            return True
        self._say(f"no more than {verdict.limit} places can be seen by all of its layers")
        return False

    def next_logprobs(self, prefixes: Sequence[Sequence[int]]) -> Logprobs:
        """Return ``log P(next | start, prefix)`` of each prefix, ``float[b, vocab_size]``."""
        trees = [self.tree([*self.start, *prefix]) for prefix in prefixes]
        if not trees:
            return np.zeros((0, self.vocab_size), dtype=np.float32)
        return np.concatenate(self.evaluate(trees))
