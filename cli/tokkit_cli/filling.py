"""What `tokkit byte-probs fill` does with a gap, and how it says what came of many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli.byte_requests import ModelRequest, Session

if TYPE_CHECKING:
    from tokkit.byteprobs.infilling import InfillingResult, Rate
    from tokkit.byteprobs.sampling import Generation


@dataclass
class Filler:
    """Fills gaps with one model and the same options.

    Attributes:
        session: The model.
        settings: What `ByteLM.fill` takes besides the texts and stop strings.
        sentinels: The special tokens that were named, ``PRE,SUF,MID``.
        count: How many gaps it filled.
        n_bytes: With how many bytes.
    """

    session: Session
    settings: Mapping[str, Any]
    sentinels: str | None
    count: int = 0
    n_bytes: int = 0

    def __post_init__(self) -> None:
        from tokkit.byteprobs.sentinels import Sentinels

        self._found = None
        if self.sentinels is not None:
            names = self.sentinels.split(",")
            if len(names) != 3:
                raise UsageError(
                    f"--sentinels {self.sentinels!r} should be three tokens, PRE,SUF,MID"
                )
            tokenizer = self.session.members[0].model.tokenizer
            self._found = Sentinels.named(tokenizer, *names)

    def __call__(
        self, prefix: bytes | str, suffix: bytes | str, /, *, stop: Sequence[bytes | str]
    ) -> "Generation":
        """Fill one gap."""
        model = self.session.members[0]
        found = model.fill(prefix, suffix, sentinels=self._found, stop=stop, **self.settings)
        self.count += 1
        self.n_bytes += len(found.data)
        return found

    def parts(
        self, prefix: bytes, suffix: bytes, *, stop: Sequence[bytes | str]
    ) -> Iterator[str]:
        """Fill one gap, and yield what belongs there as it comes."""
        from tokkit.byteprobs.fill import fill_stream

        if self.settings["baseline"] is not None:
            yield self(prefix, suffix, stop=stop).text
            return
        settings = {name: each for name, each in self.settings.items() if name != "baseline"}
        model = self.session.members[0]
        yield from fill_stream(
            model, prefix, suffix, sentinels=self._found, stop=stop, **settings
        )

    def account(self, request: ModelRequest) -> dict[str, Any]:
        """Say what the rows of a benchmark depend on, besides its problems."""
        asked = asdict(request)
        names = ("model", "segmentation", "beam", "dtype", "tokenizer", "start")
        own = {name: asked[name] for name in names}
        return {**own, **self.settings, "sentinels": self.sentinels}


def print_filled(
    filler: Filler,
    prefix: bytes,
    suffix: bytes,
    stop: Sequence[str],
    as_json: bool,
    stats: bool,
) -> None:
    """Fill one gap, and print what belongs there."""
    if as_json:
        _print_json(filler, filler(prefix, suffix, stop=stop).as_json(), stats)
        return
    written = console.print_stream(filler.parts(prefix, suffix, stop=stop))
    if stats:
        console.note(filler.session.describe(written))


def print_rates(
    filler: Filler,
    result: "InfillingResult",
    output: Path | None,
    as_json: bool,
    stats: bool,
) -> None:
    """Print how many gaps of a benchmark were filled rightly."""
    if as_json:
        named = {"output": str(output)} if output else {}
        _print_json(filler, {**named, **result.as_json()}, stats)
        return
    shown = {
        "output": output,
        "problems": len(result.rows),
        "exact match": describe_rate(result.exact_match),
        "pass@1": None if result.passed is None else describe_rate(result.passed),
    }
    console.print_result(shown, as_json)
    _note_stats(filler, stats)


def describe_rate(rate: "Rate") -> str:
    """Write a rate: ``"3 of 10 = 30.0 % (10.8 to 60.3 %, Wilson, 95 %)"``."""
    low, high = rate.interval
    return (
        f"{rate.successes} of {rate.total} = {100 * rate.rate:.1f} % "
        f"({100 * low:.1f} to {100 * high:.1f} %, Wilson, 95 %)"
    )


def _print_json(filler: Filler, result: Mapping[str, object], stats: bool) -> None:
    spent = {"stats": filler.session.stats(filler.n_bytes)} if stats else {}
    console.print_result({**result, **spent}, as_json=True)


def _note_stats(filler: Filler, wanted: bool) -> None:
    if wanted:
        console.note(filler.session.describe(filler.n_bytes))
