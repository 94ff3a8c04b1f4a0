"""Small random tokenizers over bytes: as a foreign library has them, and tokkit's."""

import base64
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tiktoken
import tokenizers

from tests.formats.families import CL100K, byte_level, pre_sequence
from tests.reference.byteprobs import Canonical, Encode, cut_whole
from tests.reference.longest import longest_match
from tokkit.added import Added, AddedTokens
from tokkit.formats import load
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

Json = dict[str, Any]

_REWRITING = "NFC", "NFKC", "Lowercase"
SPECIALS = ("<s>", "</s>", "<unk>", "<pad>")
_VISIBLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_HIDDEN = [byte for byte in range(256) if byte not in _VISIBLE]
LETTERS = {byte: chr(byte) for byte in _VISIBLE} | {
    byte: chr(256 + place) for place, byte in enumerate(_HIDDEN)
}
"""How byte-level vocabularies write each byte."""


@dataclass(frozen=True)
class Family:
    """A tokenizer as a foreign library has it and as tokkit has it.

    Attributes:
        name: What it is an example of.
        encode: The foreign library: texts to ids; special tokens in text are text.
        tokenizer: tokkit's.
        tokens: What each id spells, by construction; b"" for special and unused ids.
        alphabet: The characters of texts to try.
        reach: How far later characters decide about cuts.
        lead: What is put before every text.
        more: Characters beyond the alphabet that texts may go on with.
        hints: Longer texts that they may go on with.
        rich: Whether the vocabulary has more bytes than those of its alphabet.
        normalize: What the foreign library makes of a text before it is cut.
    """

    name: str
    encode: Encode
    tokenizer: Tokenizer
    tokens: tuple[bytes, ...]
    alphabet: str
    reach: int = 0
    lead: bytes = b""
    more: str = ""
    hints: tuple[str, ...] = ()
    rich: bool = False
    normalize: Callable[[str], str] = str

    @cached_property
    def canonical(self) -> Canonical:
        return self.canonical_within(self.reach)

    def canonical_within(self, reach: int) -> Canonical:
        alphabet = self.alphabet + self.more
        return Canonical(self.encode, self.tokens, alphabet, reach, self.lead, self.hints)

    def normalized(self, data: bytes) -> bytes:
        """Rewrite the whole characters of `data` as the library does."""
        whole, rest = cut_whole(data)
        return data if whole is None else self.normalize(whole).encode() + rest

    @property
    def start(self) -> tuple[int, ...]:
        return (self.tokenizer.vocab.specials["<s>"],)

    @property
    def ends(self) -> frozenset[int]:
        return frozenset({self.tokenizer.vocab.specials["</s>"]})


# ------------------------------------------------------------------ vocabularies at random


def written(data: bytes) -> str:
    return "".join(LETTERS[byte] for byte in data)


def draw_merges(
    source: random.Random, units: Sequence[str], count: int, longest: int
) -> list[tuple[str, str]]:
    """Draw merges of units and of what merges make, in an order that has nothing to do with
    how they are made: some are never used, some make what others make."""
    merges: list[tuple[str, str]] = []
    known = list(units)
    for _ in range(20 * count):
        left, right = source.choice(known), source.choice(known)
        if len(merges) < count and len(left + right) <= longest:
            if (left, right) not in merges:
                merges.append((left, right))
            if left + right not in known:
                known.append(left + right)
    source.shuffle(merges)
    return merges


def number(source: random.Random, texts: Sequence[str], gaps: int) -> dict[str, int]:
    """Give texts, and the special tokens, ids at random, some of them left unused."""
    texts = list(dict.fromkeys([*texts, *SPECIALS]))
    return dict(zip(texts, source.sample(range(len(texts) + gaps), len(texts)), strict=True))


def added(content: str, token_id: int, special: bool = True, **flags: bool) -> Json:
    names = "single_word", "lstrip", "rstrip", "normalized"
    return {
        "id": token_id,
        "content": content,
        "special": special,
        **dict.fromkeys(names, False),
        **flags,
    }


def bpe_json(
    ids: dict[str, int],
    merges: Sequence[tuple[str, str]],
    *,
    extra: Sequence[Json] = (),
    normalizer: Json | None = None,
    pre: Json | None = None,
    decoder: Json | None = None,
    **settings: Any,
) -> Json:
    return {
        "version": "1.0",
        "added_tokens": [*(added(text, ids[text]) for text in SPECIALS), *extra],
        "normalizer": normalizer,
        "pre_tokenizer": pre,
        "post_processor": None,
        "decoder": decoder,
        "model": {"type": "BPE", "vocab": ids, "merges": [list(m) for m in merges], **settings},
    }


def from_json(
    folder: Path, name: str, content: Json, spelled: Callable[[str], bytes], **more: Any
) -> Family:
    """The family of a ``tokenizer.json``; `spelled` says what a text of its vocabulary is."""
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    foreign = tokenizers.Tokenizer.from_str(json.dumps(content))
    foreign.encode_special_tokens = True
    model = content["model"]["vocab"]
    if not isinstance(model, dict):
        model = {text: place for place, (text, _) in enumerate(model)}
    own = {entry["content"]: entry for entry in content["added_tokens"]}
    ids = model | {
        text: token_id for text in own if (token_id := foreign.token_to_id(text)) is not None
    }
    tokens = [b""] * (1 + max(ids.values()))
    for text, token_id in ids.items():
        if text not in SPECIALS:
            tokens[token_id] = text.encode() if text in own else spelled(text)

    def encode(texts: list[str]) -> list[list[int]]:
        batch = foreign.encode_batch_fast(texts, add_special_tokens=False)
        return [each.ids for each in batch]

    if (content["normalizer"] or {}).get("type") in _REWRITING:
        more["normalize"] = foreign.normalizer.normalize_str
    return Family(name, encode, load(path), tuple(tokens), **more)


def of_letters(text: str) -> bytes:
    bytes_of = {letter: byte for byte, letter in LETTERS.items()}
    return bytes(bytes_of[letter] for letter in text)


def of_pieces(text: str) -> bytes:
    if len(text) == 6 and text.startswith("<0x"):
        return bytes([int(text[3:5], 16)])
    return text.replace("▁", " ").encode()


# ------------------------------------------------------------------ byte-level BPE


def draw_pieces(source: random.Random, characters: str, count: int) -> list[str]:
    """Every character, and strings of them."""
    found = list(characters)
    while len(found) < count + len(characters):
        found.append("".join(source.choices(characters, k=source.randint(2, 4))))
    return list(dict.fromkeys(found))


def byte_bpe(
    folder: Path,
    seed: int,
    alphabet: str,
    *,
    name: str = "plain",
    count: int = 8,
    longest: int = 4,
    pre: Json | None = None,
    normalizer: Json | None = None,
    texts: Sequence[str] = (),
    special_texts: bool = False,
    full: bool = False,
    gaps: int = 2,
    permutation: int = 0,
    reach: int = 0,
    more: str = "",
    hints: tuple[str, ...] = (),
    merges: Sequence[tuple[bytes, bytes]] | None = None,
    **settings: Any,
) -> Family:
    """BPE over the bytes of an alphabet, or over all.

    Args:
        folder: Where to write it.
        seed: What decides about it.
        alphabet: The characters.
        name: What it is an example of.
        count: How many merges.
        longest: The most bytes of a token.
        pre: What cuts text.
        normalizer: What rewrites text.
        texts: Added tokens that are no special tokens.
        special_texts: Whether the vocabulary has what special tokens are written with.
        full: Whether it has all bytes.
        gaps: How many ids are unused.
        permutation: What decides about ids only.
        reach: How far later characters decide about cuts.
        more: Characters beyond the alphabet that texts may go on with.
        hints: Longer texts that they may go on with.
        merges: The merges, if not at random.
        settings: Others of the model.
    """
    source = random.Random(f"{name} {seed}")
    used = (alphabet + more + "".join(texts) + "".join(SPECIALS) * special_texts).encode()
    units = [LETTERS[byte] for byte in (range(256) if full else sorted(set(used)))]
    own = [LETTERS[byte] for byte in sorted(set(alphabet.encode()))]
    if merges is None:
        chosen = draw_merges(source, own, count, longest)
    else:
        chosen = [(written(left), written(right)) for left, right in merges]
    source = random.Random(f"{name} {seed} {permutation}")
    ids = number(source, [*units, *(left + right for left, right in chosen)], gaps)
    following = len(ids)
    extra = [added(text, following + n, special=False) for n, text in enumerate(texts)]
    steps = [pre] if pre else []
    content = bpe_json(
        ids,
        chosen,
        extra=extra,
        normalizer=normalizer,
        pre=pre_sequence(*steps, byte_level()),
        decoder=byte_level(),
        **settings,
    )
    return from_json(
        folder,
        name,
        content,
        of_letters,
        alphabet=alphabet,
        reach=reach,
        more=more,
        hints=hints,
        rich=full,
    )


# ------------------------------------------------------------------ others


def longest(folder: Path, seed: int, *, twice: bool = False, alphabet: str = "abé") -> Family:
    """Longest match; tokkit's own rule, and the slow look-up of ever shorter strings.

    Args:
        folder: Not needed.
        seed: What decides about it.
        twice: Whether some tokens are there twice.
        alphabet: The characters.
    """
    source = random.Random(f"longest {seed}")
    single = [bytes([byte]) for byte in sorted(set(alphabet.encode()))]
    spelled = [alphabet.encode()[n : n + k] for n in range(4) for k in (2, 3)]
    drawn = [b"".join(source.choices(single, k=source.randint(2, 4))) for _ in range(9)]
    chosen = list(dict.fromkeys([*single, *source.sample([*spelled, *drawn], 9)]))
    chosen += source.sample(chosen, 4) * twice
    tokens = [*chosen, *[b""] * (len(SPECIALS) + 2)]
    source.shuffle(tokens)
    empty = [place for place, token in enumerate(tokens) if not token]
    specials = dict(zip(SPECIALS, empty, strict=False))
    own = tuple(Added(text, token_id, special=True) for text, token_id in specials.items())
    tokenizer = Tokenizer(
        Vocabulary(tuple(tokens), specials),
        LongestMatch(tokens, specials["<unk>"]),
        added=AddedTokens(own),
        keeps_bytes=False,
    )
    by_bytes: dict[bytes, int] = {}
    for token_id, token in enumerate(tokens):
        if token:
            by_bytes.setdefault(token, token_id)

    def encode(texts: list[str]) -> list[list[int]]:
        return [longest_match(by_bytes, text.encode(), specials["<unk>"]) for text in texts]

    return Family("longest", encode, tokenizer, tuple(tokens), alphabet)


CONTRACTIONS = tuple(
    before + each
    for word in ("ve", "re", "ll", "VE", "RE", "LL")
    for before, each in (("'", word), ("", word), ("", word[1]))
)
"""Ends of words that patterns set apart, longer than the texts that are tried."""


def tiktoken_ranks(
    folder: Path, seed: int, pattern: str = CL100K, alphabet: str = "ab '", **more: Any
) -> Family:
    """A tiktoken encoding: all bytes, and tokens that its ranks do not always reach."""
    source = random.Random(f"tiktoken {seed}")
    single = [bytes([byte]) for byte in range(256)]
    letters = [letter.encode() for letter in alphabet]
    drawn = [b"".join(source.choices(letters, k=source.randint(2, 4))) for _ in range(40)]
    tokens = list(dict.fromkeys(drawn))[:16]
    source.shuffle(single)
    tokens = single + tokens
    specials = {text: len(tokens) + 2 * place for place, text in enumerate(SPECIALS)}
    path = folder / "ranks.tiktoken"
    lines = [b"%s %d" % (base64.b64encode(token), n) for n, token in enumerate(tokens)]
    path.write_bytes(b"\n".join(lines))
    beside = {"pat_str": pattern, "special_tokens": specials}
    path.with_suffix(".json").write_text(json.dumps(beside))
    foreign = tiktoken.Encoding(
        "random",
        pat_str=pattern,
        mergeable_ranks={token: n for n, token in enumerate(tokens)},
        special_tokens=specials,
    )
    tokens += [b""] * (1 + max(specials.values()) - len(tokens))
    return Family(
        "tiktoken",
        lambda texts: [foreign.encode_ordinary(text) for text in texts],
        load(path),
        tuple(tokens),
        alphabet,
        rich=True,
        **{"reach": 2, "hints": CONTRACTIONS, **more},
    )


def wordpiece(folder: Path, seed: int) -> Family:
    """WordPiece: the longest piece from the left, or the whole word is unknown."""
    source = random.Random(f"wordpiece {seed}")
    texts = draw_pieces(source, "ab", 8)
    inner = ["##" + text for text in draw_pieces(source, "ab", 6)]
    ids = number(source, [*texts, *source.sample(inner, len(inner) - 1)], 2)
    content = bpe_json(ids, [])
    content["pre_tokenizer"] = {"type": "BertPreTokenizer"}
    content["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": False}
    content["model"] = {
        "type": "WordPiece",
        "unk_token": "<unk>",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": ids,
    }
    return from_json(
        folder,
        "wordpiece",
        content,
        lambda text: (text[2:] if text.startswith("##") else " " + text).encode(),
        alphabet="ab ",
        lead=b" ",
        reach=2,
        normalize=_spaced,
    )


def _spaced(text: str) -> str:
    """Words with one space between; a space at the end begins the next word."""
    words = " ".join(text.split())
    return words + " " * (words != "" and text[-1].isspace())
