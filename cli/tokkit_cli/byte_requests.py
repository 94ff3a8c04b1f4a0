"""From what the options of ``tokkit byte-probs`` say to models and texts."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli.byte_options import MixName, SegmentationName

if TYPE_CHECKING:
    from tokkit.byteprobs import ByteLM, Ensemble
    from tokkit.lm.model import LanguageModel, Usage


@dataclass(frozen=True)
class ModelRequest:
    """Which model is asked, and how.

    Attributes:
        model: Its folder or hub id.
        segmentation: What is counted.
        beam: The most sequences to follow; None: the usual number.
        device: Where to compute.
        dtype: With which precision.
        tokenizer: Instead of the model's own.
        start: Special tokens before every text, instead of the model's own.
        ensemble: Other models to join.
        mix: How; None: the usual way.
        weights: How much each counts.
    """

    model: str
    segmentation: SegmentationName = "renorm"
    beam: int | None = None
    device: str = "auto"
    dtype: str = "auto"
    tokenizer: str | None = None
    start: str | None = None
    ensemble: Sequence[str] = ()
    mix: MixName | None = None
    weights: Sequence[float] = ()


@dataclass
class Session:
    """Models that were opened, and what they cost so far.

    Attributes:
        members: The models, the first of which is MODEL.
        ensemble: All of them joined, if there are several.
        setup: Seconds it took to open them.
    """

    members: "Sequence[ByteLM]"
    ensemble: "Ensemble | None"
    setup: float
    _begun: float = field(default_factory=time.perf_counter)

    @property
    def source(self) -> "ByteLM | Ensemble":
        """What text comes from: the one model, or all of them joined."""
        return self.members[0] if self.ensemble is None else self.ensemble

    def stats(self, n_bytes: int) -> dict[str, Any]:
        """Say what was spent on `n_bytes` bytes."""
        usages: list[Usage] = [member.model.usage for member in self.members]
        calls, tokens = sum(each.calls for each in usages), sum(each.tokens for each in usages)
        return {
            "forward_calls": calls,
            "forward_tokens": tokens,
            "bytes": n_bytes,
            "calls_per_byte": calls / n_bytes if n_bytes else None,
            "tokens_per_byte": tokens / n_bytes if n_bytes else None,
            "setup_seconds": self.setup,
            "seconds": time.perf_counter() - self._begun,
        }

    def describe(self, n_bytes: int | None = None) -> str:
        """Say it in a line, without what is spent on a byte if it is not about any."""
        said = self.stats(n_bytes or 0)
        per_byte = ""
        passes = console.count(said["forward_calls"], "forward pass", "forward passes")
        tokens_read = console.count(said["forward_tokens"], "token")
        if n_bytes:
            calls, tokens = said["calls_per_byte"], said["tokens_per_byte"]
            per_byte = f", {calls:.3g} and {tokens:.3g} per byte"
        return (
            f"{passes}, {tokens_read} in them{per_byte}; {said['setup_seconds']:.2f} s to set "
            f"up, {said['seconds']:.2f} s after"
        )


def open_session(request: ModelRequest) -> Session:
    """Load the models a command asks for.

    Raises:
        UsageError: If options do not go together.
        ModelError: If a model cannot be loaded.
        FormatError: If its tokenizer cannot.
    """
    begun = time.perf_counter()
    names = [request.model, *request.ensemble]
    weights = list(request.weights) or None
    _refuse_unused(request)
    if weights is not None and len(weights) != len(names):
        raise UsageError(
            f"{len(weights)} times --weight for {len(names)} models: give one for each, "
            "MODEL first, or none"
        )
    members = [_open(name, request, is_first=name is names[0]) for name in names]
    joined = None
    if len(members) > 1:
        from tokkit.byteprobs import Ensemble

        joined = Ensemble(members, mix=request.mix or "mixture", weights=weights)
    return Session(members, joined, time.perf_counter() - begun)


def _refuse_unused(request: ModelRequest) -> None:
    """Refuse options that would change nothing."""
    if request.beam is not None and request.segmentation != "all":
        raise UsageError("--beam is about --segmentation all: the others follow everything")
    if request.ensemble:
        return
    for name, value in {"--mix": request.mix, "--weight": request.weights}.items():
        if value:
            raise UsageError(f"{name} is about several models: give --ensemble MODEL too")


def _open(name: str, request: ModelRequest, *, is_first: bool) -> "ByteLM":
    """Load one model; a tokenizer and a beginning that are given are those of the first."""
    from tokkit.byteprobs import ByteLM
    from tokkit.lm.hf import HFModel

    console.note(f"loading {name} …")
    model: LanguageModel = HFModel.load(
        name,
        device=request.device,
        dtype=request.dtype,
        tokenizer=request.tokenizer if is_first else None,
        start=request.start if is_first else None,
    )
    return ByteLM(model, segmentation=request.segmentation, beam=request.beam)


def read_text(given: Mapping[str, str | Path | None], *, needed: bool = True) -> bytes:
    """Return the bytes of the one text that is given, as an argument, as hex or as a file.

    Args:
        given: By the name of the option: ``{"--prefix": "a", "--prefix-hex": None}``.
        needed: Whether there has to be one; if not, nothing is ``b""``.

    Raises:
        UsageError: If there is not one, or it is not hexadecimal.
    """
    texts = {name: value for name, value in given.items() if value is not None}
    if not texts and not needed:
        return b""
    if len(texts) != 1:
        said = f"{' and '.join(texts)} are" if texts else "none is"
        raise UsageError(f"give exactly one of {', '.join(given)}: {said} given")
    ((name, value),) = texts.items()
    if isinstance(value, Path):
        return value.read_bytes()
    if not name.endswith("-hex"):
        return os.fsencode(value)
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise UsageError(
            f"{name} {value!r} is not hexadecimal: write 'e2 82' or e282"
        ) from None
