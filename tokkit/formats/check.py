"""Proving that a written tokenizer means the same to the library that will read it.

Every save ends here: the file is loaded through the foreign library and both tokenizers cut
the same awkward text; the first difference is a `CheckError` with the text and both id lists.
"""

import logging
import os
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tokkit.errors import CheckError
from tokkit.tokenizer import Tokenizer

Encoder = Callable[[str], Iterable[int]]
Decoder = Callable[[Sequence[int]], str]

_SPACES = " ", "  ", " " * 7, "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000", "\u2009", "\x85"
_SEED = 20260101

AWKWARD: tuple[str, ...] = (
    "",
    *_SPACES,
    "Hello world",
    " leading and trailing ",
    "two  spaces   three    four     five",
    "tabs\tand\t\ttabs\n\n\nlines\r\nof\rall \n kinds \r\n \r\n x",
    "no\u00a0break\u2009thin\u3000wide\u200bzero\ufeffmark\u2028line\u2029paragraph\x0bvt\x0cff",
    "I'm you're he'd WE'LL they've it's DON'T can’t l'été 'quoted' ''s",
    "x=1;y+=2\nif (a&&b) { return foo[i]->baz(); } // <?php\n\tdef f(self):\n        pass\n",
    "https://example.org/a/b?c=d&e=%20#f user@host.example C:\\dir\\file.txt /usr/bin/env",
    "0 1 12 123 1234 12345 123456 1234567 12345678901234567890 3.14159 1,000,000 1e-5 0xFF",
    "٠١٢٣٤٥٦٧٨٩ ०१२३४५६७८९ ２０２６ ½ ² Ⅳ ① 〇 1٣2",
    "$£€¥ #hash @at ~`!^*()_+-=[]{}|;':\",./<>? …—–‘’“”«»¿¡§¶",
    "Grüße aus Köln, naïve café; Ça va? ŁÓDŹ ĳ ß ẞ İı ﬁ ﬀ Ǆǅǆ",
    "e\u0301 o\u0308\u0304 q\u0307\u0323 \u0301lone \u20d0 a" + "\u0300" * 20,
    "Привет, мир! Українська ѣ Ωμέγα ἀρχή Հայերեն ქართული",
    "שָׁלוֹם עולם مرحبا بالعالم ‏rtl‎ ﷺ لا",
    "नमस्ते दुनिया வணக்கம் สวัสดีชาวโลก ຂອບໃຈ မြန်မာ ខ្មែរ བོད་ཡིག አማርኛ",
    "你好，世界！ 日本語のテキスト。カタカナ ﾊﾝｶｸ ㍿ 𠮷野家",
    "한국어 조합 \u1112\u1161\u11ab 漢字かな交じり文",
    "👍 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 1️⃣ ☃️ 🤷🏾‍♀️ ❤ ©®™",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙𝟚 Ⓐ ｆｕｌｌｗｉｄｔｈ ℕ ℵ ÅÅ ﷽ \ue000 \U0010ffff \ufffd",
    "nul\0bell\x07escape\x1b[0m del\x7f c1\x80\x9f soft\u00adhyphen",
    "a" * 300,
    "ab" * 150,
    " " * 300 + "x",
    "\n" * 100,
    "!" * 100 + "=" * 64 + "-" * 80,
    "9" * 50,
    "啊" * 70,
    "👍" * 33,
    "thisisaverylongwordwithoutanyspaces" * 6,
    "camelCaseHTTPServerXMLHttpRequest snake_case SCREAMING_CASE kebab-case iPhone McDonald",
    "▁metaspace ▁▁two Ġbyte level Ċ ##piece <0x0A> <0xE2><0x96> @@ </w> ⁇ ",
    "<s> </s> <unk> <pad> [CLS] [SEP] [UNK] [MASK] <|endoftext|> <mask> <|im_start|>user",
    "<s>a</s> <unk><unk> x<unk>y  <s>  [UNK].[MASK] <|endoftext|><|endoftext|>",
    "🇺 split\u200dflags a\u200db \u200c \ufe0f \u0600١ \u06dd",
)
"""Texts that tokenizers disagree on: scripts, spaces, digits, marks, controls, specials."""


@dataclass(frozen=True)
class Mismatch:
    """Where two tokenizers part.

    Attributes:
        text: The text both were given.
        ours: What tokkit makes of it: ids, or the text they decode to.
        theirs: What the foreign library makes of it.
    """

    text: str
    ours: Sequence[int] | str
    theirs: Sequence[int] | str

    def __str__(self) -> str:
        return f"{_shorten(self.text)!r} is {_show(self.ours)} and not {_show(self.theirs)}"


def _shorten(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _show(value: Sequence[int] | str) -> str:
    if isinstance(value, str):
        return repr(_shorten(value))
    shown = ", ".join(str(token_id) for token_id in value[:12])
    return f"[{shown}{', …' if len(value) > 12 else ''}]"


def awkward_texts(tokenizer: Tokenizer, own: int = 200) -> list[str]:
    """List texts to compare on: `AWKWARD`, and some made of the tokenizer's own tokens.

    Args:
        tokenizer: Its tokens and specials are concatenated, the same way every time.
        own: How many concatenations to make.
    """
    texts = [*AWKWARD, *dict.fromkeys(unicodedata.normalize("NFD", text) for text in AWKWARD)]
    random = np.random.default_rng(_SEED)
    tokens = [token for token in tokenizer.vocab.tokens if token]
    for _ in range(own if tokens else 0):
        chosen = random.integers(len(tokens), size=random.integers(1, 7))
        joined = b"".join(tokens[index] for index in chosen)
        texts.append(joined.decode("utf-8", errors="ignore"))
    for special in sorted(tokenizer.vocab.specials)[:50]:
        texts += [special, f"a{special}b", f" {special}  {special} "]
    return list(dict.fromkeys(texts))


def compare(
    tokenizer: Tokenizer,
    encode: Encoder,
    texts: Iterable[str],
    *,
    decode: Decoder | None = None,
    parse_specials: bool | None = None,
) -> Mismatch | None:
    """Return the first text on which `tokenizer` and a foreign encoder differ.

    Args:
        tokenizer: Our reading.
        encode: The foreign library's encoder, without added beginning or end tokens.
        texts: What to compare on.
        decode: The foreign library's decoder, if its text should equal ours as well; where
            there are special tokens it need not, as decoders set them apart differently.
        parse_specials: As for `Tokenizer.encode`.
    """
    special = set(tokenizer.vocab.specials.values())
    for text in texts:
        ours = tokenizer.encode(text, parse_specials=parse_specials).tolist()
        theirs = [int(token_id) for token_id in encode(text)]
        if ours != theirs:
            return Mismatch(text, ours, theirs)
        if decode is not None and special.isdisjoint(ours):
            our_text = tokenizer.decode(ours).decode("utf-8", errors="replace")
            their_text = decode(theirs)
            # Of bytes that are not UTF-8, one U+FFFD each or one for several.
            if our_text.replace("\ufffd", "") != their_text.replace("\ufffd", ""):
                return Mismatch(text, our_text, their_text)
    return None


def require_equal(mismatch: Mismatch | None, loader: str, remedy: str) -> None:
    """Raise what a mismatch means to the user.

    Args:
        mismatch: What `compare` returned.
        loader: How the foreign library was asked to load the file.
        remedy: What to do instead, a whole clause.

    Raises:
        CheckError: If there is a mismatch.
    """
    if mismatch is not None:
        raise CheckError(f"to tokkit {mismatch}, which is what {loader} gives; {remedy}")


def is_installed(module: str) -> bool:
    """Say whether `module` could be imported, without importing it."""
    return find_spec(module) is not None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep foreign libraries from advertising and warning while they are used."""
    advice = "TRANSFORMERS_NO_ADVISORY_WARNINGS"
    before = os.environ.get(advice)
    os.environ[advice] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            del os.environ[advice]
        else:
            os.environ[advice] = before


def check_hf(folder: str | Path, tokenizer: Tokenizer, *, decodes: bool = True) -> None:
    """Compare a written folder with `tokenizer`, through tokenizers and transformers.

    Transformers is asked, if it is installed, unless tokkit made the tokenizer and no model is
    beside it.

    Args:
        folder: It holds ``tokenizer.json``.
        tokenizer: What the folder should mean.
        decodes: Whether ids should become the same text, too.

    Raises:
        CheckError: If ids differ, naming a text, both id lists and a loader that works.
    """
    import tokenizers

    texts = awkward_texts(tokenizer)
    path = Path(folder) / "tokenizer.json"
    try:
        backend = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # it raises nothing more precise
        raise CheckError(f"the tokenizers library refuses the file: {error}") from error
    require_equal(
        compare(
            tokenizer,
            lambda text: backend.encode(text, add_special_tokens=False).ids,
            texts,
            decode=(lambda ids: str(backend.decode(ids))) if decodes else None,
        ),
        f"tokenizers.Tokenizer.from_file({str(path)!r})",
        "the file must not be used",
    )
    # Importing transformers costs seconds. What tokkit makes has few shapes, whose tests go
    # through it; it differs where a model's config.json makes it read the files in another way.
    is_foreign = tokenizer.source is not None or (Path(folder) / "config.json").exists()
    if "transformers" in sys.modules or (is_foreign and is_installed("transformers")):
        with quiet():
            _check_auto(Path(folder), tokenizer, texts)


def _check_auto(folder: Path, tokenizer: Tokenizer, texts: Sequence[str]) -> None:
    """Compare through AutoTokenizer; if it differs, say which loader does not.

    With some model types in ``config.json`` (qwen2, qwen3_5 ... in transformers 5.23) it
    ignores ``tokenizer.json`` and rebuilds the tokenizer with the model's own pre-tokenizer.
    """
    import transformers

    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity(logging.ERROR)
    name = repr(str(folder))
    loaders: dict[str, Callable[[], Any]] = {
        f"AutoTokenizer.from_pretrained({name})": (
            lambda: transformers.AutoTokenizer.from_pretrained(folder)
        ),
        f"PreTrainedTokenizerFast.from_pretrained({name})": (
            lambda: transformers.PreTrainedTokenizerFast.from_pretrained(folder)
        ),
        f"AutoTokenizer.from_pretrained({name}, config=PreTrainedConfig())": (
            lambda: transformers.AutoTokenizer.from_pretrained(
                folder, config=transformers.PretrainedConfig()
            )
        ),
    }
    try:
        failures = {}
        for loader, load in loaders.items():
            failure = _compare_loaded(load, tokenizer, texts)
            if failure is None:
                break
            failures[loader] = failure
    finally:
        transformers.logging.set_verbosity(verbosity)
    if not failures:
        return
    first, failure = next(iter(failures.items()))
    if len(failures) == len(loaders):
        raise CheckError(f"{failure}, through {first} and every other loader of transformers")
    raise CheckError(f"{failure}, through {first}; load the tokenizer with {loader}")


def _compare_loaded(
    load: Callable[[], Any], tokenizer: Tokenizer, texts: Sequence[str]
) -> str | None:
    """Load with transformers and compare; what is wrong in words, None if nothing."""
    try:
        loaded = load()
    except Exception as error:  # transformers raises whatever a broken folder leads it to
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return f"the folder cannot be loaded ({_shorten(reason[0], 200)})"
    mismatch = compare(
        tokenizer, lambda text: list(loaded.encode(text, add_special_tokens=False)), texts
    )
    return f"to tokkit {mismatch}" if mismatch else None
