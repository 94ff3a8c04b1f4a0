"""Small tokenizers of every family, as the JSON of a ``tokenizer.json``."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

Json = dict[str, Any]

SAMPLE = (
    "Once upon a time there was a little tokenizer. It's said that the tokenizer's tokens "
    "don't lie; they'll tell you what they've seen. THE END OF THE LINE\n\n\tdef f(x):\n"
    "        return x + 1234567 * 3.14159  # a comment\n\nGrüße aus Köln, naïve café! "
    "Привет, мир. Ещё раз привет. नमस्ते दुनिया สวัสดี שלום مرحبا 你好世界，你好。 "
    "日本語のテキスト 한국어 조합 👍🏽 🇩🇪 ½ ² Ⅳ ﬁ e\u0301 <br> a_b a-b http://x.org/?q=1&r=%20 "
    "aaaa aaaaaaaa abababab      ten spaces          end"
)


def split(regex: str, behavior: str = "Isolated", invert: bool = False) -> Json:
    pattern = {"Regex": regex}
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def byte_level(prefix: bool = False, regex: bool = False) -> Json:
    return {
        "type": "ByteLevel",
        "add_prefix_space": prefix,
        "trim_offsets": True,
        "use_regex": regex,
    }


def pre_sequence(*parts: Json) -> Json:
    return {"type": "Sequence", "pretokenizers": list(parts)}


def norm_sequence(*parts: Json) -> Json:
    return {"type": "Sequence", "normalizers": list(parts)}


def replace(old: str, new: str, is_regex: bool = False) -> Json:
    return {
        "type": "Replace",
        "pattern": {"Regex" if is_regex else "String": old},
        "content": new,
    }


def metaspace(scheme: str, cut: bool = True) -> Json:
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}


def added(content: str, token_id: int, **flags: bool) -> Json:
    defaults = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": token_id, "content": content, **defaults, "special": True, **flags}


CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re"
    r"|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}"
    r"\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = CL100K.replace("{1,3}", "")
CLIP = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]"
    r"|[^\s\p{L}\p{N}]+"
)
DEEPSEEK = (
    split(r"\p{N}{1,3}"),
    split("[一-龥\u3040-ゟ゠-ヿ]+"),
    split(
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?"
        "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
    ),
)


def _bpe(cutter: Any, alphabet: list[str], size: int = 420, **settings: Any) -> Json:
    model = Tokenizer(models.BPE(**settings))
    model.pre_tokenizer = cutter
    names = ("continuing_subword_prefix", "end_of_word_suffix")
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=alphabet,
        show_progress=False,
        special_tokens=["<unk>", "<s>"],
        **{name: settings[name] for name in names if name in settings},
    )
    model.train_from_iterator([SAMPLE] * 2, trainer)
    trained: Json = json.loads(model.to_str())["model"]
    return trained


@cache
def byte_model() -> str:
    """BPE over the byte-level alphabet."""
    cutter = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return json.dumps(_bpe(cutter, pre_tokenizers.ByteLevel.alphabet(), 500))


@cache
def char_model(prefix: str = "", suffix: str = "") -> str:
    """BPE over characters, spaces written ``▁`` where there are no marks of words."""
    marks = {}
    if prefix:
        marks["continuing_subword_prefix"] = prefix
    if suffix:
        marks["end_of_word_suffix"] = suffix
    words = pre_tokenizers.Whitespace()
    cutter = words if marks else pre_tokenizers.Metaspace()
    return json.dumps(_bpe(cutter, list("abcdefgh"), 320, unk_token="<unk>", **marks))


def with_bytes(model: Json) -> Json:
    """Add the 256 byte tokens to a model over characters."""
    vocab = dict(model["vocab"])
    for byte in range(256):
        vocab[f"<0x{byte:02X}>"] = len(vocab)
    return {**model, "vocab": vocab, "byte_fallback": True, "fuse_unk": True}


@cache
def unigram_model() -> str:
    model = Tokenizer(models.Unigram())
    model.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=260,
        show_progress=False,
        special_tokens=["<s>", "<unk>"],
        unk_token="<unk>",
    )
    model.train_from_iterator([SAMPLE, SAMPLE.lower()] * 3, trainer)
    return json.dumps(json.loads(model.to_str())["model"])


@cache
def byte_unigram() -> str:
    """A unigram model over the byte-level alphabet, in which some bytes are no tokens."""
    model = Tokenizer(models.Unigram())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.UnigramTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        special_tokens=["<unk>"],
        unk_token="<unk>",
    )
    model.train_from_iterator([SAMPLE, SAMPLE.lower()] * 3, trainer)
    trained: Json = json.loads(model.to_str())["model"]
    trained["vocab"] = [each for each in trained["vocab"] if each[0] not in ("©", "x")]
    return json.dumps(trained)


@cache
def word_model() -> str:
    model = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, show_progress=False, special_tokens=["[UNK]", "[CLS]", "[MASK]"]
    )
    model.train_from_iterator([SAMPLE, SAMPLE.lower()] * 2, trainer)
    return json.dumps(json.loads(model.to_str())["model"])


@cache
def charsmap() -> str:
    """The character map of SentencePiece's ``nmt_nfkc``, base64."""
    import base64
    import io

    import sentencepiece

    from tokkit.formats.sentencepiece_model import read_model

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e"] * 20),
        model_writer=written,
        vocab_size=10,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return base64.b64encode(read_model(written.getvalue()).normalization.charsmap).decode()


BYTE_DECODER = byte_level()
LLAMA_DECODER = {
    "type": "Sequence",
    "decoders": [
        replace("▁", " "),
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ],
}
BERT = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}


def _json(model: str | Json, **parts: Any) -> Json:
    return {
        "version": "1.0",
        "added_tokens": parts.pop("added", []),
        "normalizer": parts.get("norm"),
        "pre_tokenizer": parts.get("pre"),
        "decoder": parts.get("dec"),
        "post_processor": None,
        "model": {
            **(json.loads(model) if isinstance(model, str) else model),
            **parts.get("set", {}),
        },
    }


def _bytes(*cutters: Json, **parts: Any) -> Callable[[], Json]:
    """A byte-level tokenizer with these pre-tokenizers."""
    parts.setdefault("added", [added("<s>", 1), added("<|end|>", 500)])
    pre = cutters[0] if len(cutters) == 1 else pre_sequence(*cutters)
    return lambda: _json(byte_model(), pre=pre, dec=BYTE_DECODER, **parts)


def _chars(norm: Json | None, pre: Json | None, **parts: Any) -> Callable[[], Json]:
    """A SentencePiece-like BPE tokenizer."""
    parts.setdefault("added", [added("<unk>", 0), added("<s>", 1)])
    parts.setdefault("dec", LLAMA_DECODER)
    bytes_too = parts.pop("fallback", True)

    def build() -> Json:
        model = json.loads(char_model())
        return _json(with_bytes(model) if bytes_too else model, norm=norm, pre=pre, **parts)

    return build


def _unigram(
    norm: Callable[[], Json | None], pre: Json | None, **parts: Any
) -> Callable[[], Json]:
    parts.setdefault("added", [added("<s>", 0), added("<mask>", 999, lstrip=True)])
    parts.setdefault("dec", metaspace("always"))
    return lambda: _json(unigram_model(), norm=norm(), pre=pre, **parts)


def _words(norm: Json | None, pre: Json | None, **parts: Any) -> Callable[[], Json]:
    parts.setdefault("added", [added("[UNK]", 0), added("[MASK]", 2, lstrip=True)])
    parts.setdefault("dec", {"type": "WordPiece", "prefix": "##", "cleanup": True})
    return lambda: _json(word_model(), norm=norm, pre=pre, **parts)


def _levels(norm: Json | None, pre: Json | None) -> Callable[[], Json]:
    def build() -> Json:
        words = [
            "[UNK]",
            "the",
            "tokenizer",
            "a",
            "1",
            "'",
            "t",
            "0",
            "Привет",
            "привет",
            " the",
        ]
        vocab = {word: number for number, word in enumerate(words)}
        model = {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}
        return _json(model, norm=norm, pre=pre)

    return build


def _marked(
    prefix: str, suffix: str, norm: Json | None, pre: Json, **parts: Any
) -> Callable[[], Json]:
    return lambda: _json(char_model(prefix, suffix), norm=norm, pre=pre, **parts)


def _precompiled() -> Json:
    return {"type": "Precompiled", "precompiled_charsmap": charsmap()}


def _albert() -> Json:
    return norm_sequence(
        replace("``", '"'),
        replace("''", '"'),
        {"type": "NFKD"},
        {"type": "StripAccents"},
        {"type": "Lowercase"},
        _precompiled(),
        replace(" {2,}", " ", is_regex=True),
    )


def _spm() -> Json:
    return norm_sequence(
        _precompiled(),
        {"type": "Strip", "strip_left": False, "strip_right": True},
        replace(" {2,}", "▁", is_regex=True),
    )


def _spm_left() -> Json:
    return norm_sequence(
        _precompiled(), {"type": "Strip", "strip_left": True, "strip_right": True}
    )


_PREPEND = {"type": "Prepend", "prepend": "▁"}
_LLAMA2 = norm_sequence(_PREPEND, replace(" ", "▁"))
_FLAGS = [
    added("<unk>", 0, normalized=True),
    added("<l>", 901, lstrip=True),
    added("<r>", 902, rstrip=True, normalized=True),
    added("<w>", 903, single_word=True),
    added("the", 904, single_word=True, normalized=True, special=False),
    added("<both>", 905, lstrip=True, rstrip=True),
    added("  ", 906, special=False),
    added("\n\n", 907, special=False, normalized=True),
    added("<both", 908, special=False),
]
_WORDS_ON_SPACE = {"type": "Whitespace"}
_DIGITS = {"type": "Digits", "individual_digits": True}
_DIGIT_RUNS = {"type": "Digits", "individual_digits": False}

FAMILIES: dict[str, Callable[[], Json]] = {
    "gpt2": _bytes(byte_level(regex=True)),
    "roberta": _bytes(
        byte_level(prefix=True, regex=True), added=[added("<mask>", 777, lstrip=True)]
    ),
    "roberta without regex": _bytes(byte_level(prefix=True)),
    "llama3": _bytes(split(CL100K), byte_level(), set={"ignore_merges": True}),
    "llama4": _bytes(split(O200K), byte_level()),
    "inverted": _bytes(split(CL100K, "Removed", invert=True), byte_level()),
    "removed": _bytes(split(r"\s+", "Removed"), byte_level()),
    "merged": _bytes(split(r"\s", "MergedWithNext"), byte_level()),
    "contiguous": _bytes(split(r"\s|\d", "Contiguous"), byte_level()),
    "qwen2": _bytes(split(QWEN2), byte_level(), norm={"type": "NFC"}),
    "neox": _bytes(
        byte_level(regex=True),
        norm={"type": "NFC"},
        added=[added(" " * n, 600 + n, special=False, normalized=True) for n in range(2, 12)],
    ),
    "deepseek": _bytes(*DEEPSEEK, byte_level()),
    "starcoder": _bytes(_DIGITS, byte_level(regex=True)),
    "falcon": _bytes(
        {"type": "Punctuation", "behavior": "Contiguous"},
        byte_level(regex=True),
        _DIGIT_RUNS,
        split("[0-9][0-9][0-9]"),
    ),
    "bloom": _bytes(split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), byte_level()),
    "superbpe": _bytes(_DIGIT_RUNS, split(r"(?=(\d{3})+(?!\d))"), byte_level()),
    "prefix after split": _bytes(split(r"\s+"), byte_level(prefix=True, regex=True)),
    "byte alphabet first": _bytes(byte_level(), split("Ġ[a-z]+")),
    "byte normalizer": _bytes(
        split("Ġ+[a-z]+"),
        norm=norm_sequence({"type": "NFC"}, {"type": "ByteLevel"}),
        added=_FLAGS,
    ),
    "byte flags": _bytes(split(CL100K), byte_level(), added=_FLAGS),
    "byte flags lower": _bytes(
        split(CL100K), byte_level(), added=_FLAGS, norm={"type": "Lowercase"}
    ),
    "no cut": _bytes(byte_level()),
    "fallback never used": _bytes(byte_level(regex=True), set={"byte_fallback": True}),
    "clip": lambda: _json(
        _suffixed_bytes(),
        norm=norm_sequence({"type": "NFC"}, replace(r"\s+", " ", True), {"type": "Lowercase"}),
        pre=pre_sequence(split(CLIP, "Removed", invert=True), byte_level()),
        dec=BYTE_DECODER,
    ),
    "llama2": _chars(_LLAMA2, None),
    "llama2 without bytes": _chars(_LLAMA2, None, fallback=False),
    "llama2 fused": _chars(_LLAMA2, None, fallback=False, set={"fuse_unk": True}),
    "llama2 nothing unknown": _chars(_LLAMA2, None, fallback=False, set={"unk_token": None}),
    "llama2 few bytes": lambda: _few_bytes(_LLAMA2),
    "llama2 flags": _chars(_LLAMA2, None, added=_FLAGS),
    "llama first": _chars(None, metaspace("first", cut=False)),
    "llama first cut": _chars(None, metaspace("first"), added=_FLAGS),
    "llama always": _chars(None, metaspace("always", cut=False)),
    "llama never": _chars(None, metaspace("never")),
    "llama legacy": _chars(
        None, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}
    ),
    "llama ignores merges": _chars(None, metaspace("always"), set={"ignore_merges": True}),
    "gemma": _chars(
        replace(" ", "▁"),
        {
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
        added=[
            added("▁▁", 5, special=False),
            added("\n\n", 700, special=False),
            added("<s>", 1),
        ],
    ),
    "xlm-r": _unigram(
        _precompiled, pre_sequence({"type": "WhitespaceSplit"}, metaspace("always"))
    ),
    "t5": _unigram(_spm, metaspace("always")),
    "t5 first": _unigram(_spm, metaspace("first")),
    "t5 first stripped": _unigram(_spm_left, metaspace("first")),
    "first after words": _unigram(
        lambda: None, pre_sequence({"type": "WhitespaceSplit"}, metaspace("first"))
    ),
    "albert": _unigram(_albert, metaspace("always"), added=_FLAGS),
    "nmt": _unigram(
        lambda: norm_sequence({"type": "Nmt"}, {"type": "NFKC"}), metaspace("never")
    ),
    "unigram whole": _unigram(lambda: replace(" ", "▁"), None),
    "unigram bytes": lambda: _unigram_with_bytes(),
    "unigram byte level": lambda: _json(
        byte_unigram(), pre=byte_level(regex=True), dec=BYTE_DECODER, added=[added("<unk>", 0)]
    ),
    "bert": _words(BERT, {"type": "BertPreTokenizer"}),
    "bert cased": _words(
        {**BERT, "lowercase": False, "strip_accents": False}, {"type": "BertPreTokenizer"}
    ),
    "bert plain": _words({**BERT, "handle_chinese_chars": False}, _WORDS_ON_SPACE),
    "bert short": _words(
        BERT, {"type": "BertPreTokenizer"}, set={"max_input_chars_per_word": 5}
    ),
    "bert no prefix": _words(BERT, _WORDS_ON_SPACE, set={"continuing_subword_prefix": ""}),
    "bert flags": _words(BERT, {"type": "BertPreTokenizer"}, added=_FLAGS),
    "words": _levels({"type": "Lowercase"}, _WORDS_ON_SPACE),
    "words by script": _levels(None, {"type": "UnicodeScripts"}),
    "words by space": _levels(None, {"type": "CharDelimiterSplit", "delimiter": " "}),
    "words of length": _levels(None, {"type": "FixedLength", "length": 3}),
    "openai-gpt": _marked("", "</w>", BERT, {"type": "BertPreTokenizer"}),
    "prefixed": _marked("##", "", None, _WORDS_ON_SPACE),
    "prefixed and suffixed": _marked("##", "</w>", None, _WORDS_ON_SPACE),
}
"""What builds the JSON of each family."""


def _suffixed_bytes() -> Json:
    model = _bpe(
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        pre_tokenizers.ByteLevel.alphabet(),
        800,
        end_of_word_suffix="</w>",
    )
    return {**model, "unk_token": "<unk>"}


def _few_bytes(norm: Json) -> Json:
    model = with_bytes(json.loads(char_model()))
    kept = {token: number for token, number in model["vocab"].items() if token != "<0x9F>"}
    order = {token: number for number, token in enumerate(kept)}
    return _json({**model, "vocab": order, "fuse_unk": False}, norm=norm, dec=LLAMA_DECODER)


def _unigram_with_bytes() -> Json:
    model = json.loads(unigram_model())
    vocab = [*model["vocab"], *([f"<0x{byte:02X}>", 0.0] for byte in range(256))]
    return _json({**model, "vocab": vocab, "byte_fallback": True}, pre=metaspace("always"))


def write(folder: Path) -> Iterator[Path]:
    """Write every family to a file of its own."""
    for name, build in FAMILIES.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(build()), encoding="utf-8")
        yield path
