"""Learn 32,768 tokens by BPE with the cl100k pattern, from JSON lines, on one thread."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.corpus import documents
from benchmarks.pair import loaded

VOCAB_SIZE = 32_768
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def tokkit(corpus: Path) -> dict:
    """Learning alone, as the other libraries do it."""
    from tokkit.corpus import open_corpus
    from tokkit.learn import bpe
    from tokkit.learn.options import Job, Options
    from tokkit.patterns import find_pattern

    loaded()
    options = Options(vocab_size=VOCAB_SIZE, pattern=find_pattern("cl100k"))
    tokenizer, _ = bpe.learn(open_corpus([corpus]), options, Job())
    return {"tokens": len(tokenizer.vocab)}


def tokkit_command(corpus: Path) -> dict:
    """What ``tokkit train-vocab`` does: files, checked through tokenizers, included."""
    from tokkit.corpus import open_corpus
    from tokkit.learn.options import Job, Options
    from tokkit.learn.training import train
    from tokkit.patterns import find_pattern

    loaded()
    options = Options(vocab_size=VOCAB_SIZE, pattern=find_pattern("cl100k"))
    with TemporaryDirectory() as folder:
        account = train("bpe", open_corpus([corpus]), options, Job(), Path(folder, "bpe"))
    return {"tokens": account["vocabulary"]["size"]}


def huggingface(corpus: Path) -> dict:
    """``tokenizers.trainers.BpeTrainer``."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE, initial_alphabet=alphabet, show_progress=False
    )
    loaded()
    tokenizer.train_from_iterator(documents(corpus), trainer)
    return {"tokens": tokenizer.get_vocab_size()}


def sentencepiece(corpus: Path) -> dict:
    """SentencePiece's own BPE, which cuts text by its own rules, on characters."""
    import sentencepiece

    loaded()
    with TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(line for text in documents(corpus) for line in text.split("\n")),
            model_prefix=str(Path(folder, "model")),
            model_type="bpe",
            vocab_size=VOCAB_SIZE,
            byte_fallback=True,
            num_threads=1,
            max_sentence_length=1_000_000,
            minloglevel=2,
        )
    return {"tokens": VOCAB_SIZE}


def rustbpe(corpus: Path) -> dict:
    """The trainer of nanochat."""
    import rustbpe

    tokenizer = rustbpe.Tokenizer()
    loaded()
    tokenizer.train_from_iterator(documents(corpus), VOCAB_SIZE, pattern=PATTERN)
    return {"tokens": tokenizer.vocab_size}


def ffbpe(corpus: Path) -> dict:
    """Its byte units, with its streaming counter."""
    from ffbpe import BpeTrainer, PreTokenizer

    counter = PreTokenizer([], pat_str=PATTERN).word_counter()
    loaded()
    counter.add_source(documents(corpus))
    trainer = BpeTrainer([], unit="byte")
    trainer.add_word_counter(counter)
    trainer.train(VOCAB_SIZE)
    return {"tokens": trainer.vocab_size}


def bpeasy(corpus: Path) -> dict:
    """Needs a longest token; 128 bytes is out of the way."""
    import bpeasy

    loaded()
    vocab = bpeasy.train_bpe(documents(corpus), PATTERN, 128, VOCAB_SIZE)
    return {"tokens": len(vocab)}


IMPLEMENTATIONS: Mapping[str, Callable[[Path], dict]] = {
    "tokkit": tokkit,
    "tokkit train-vocab": tokkit_command,
    "tokenizers": huggingface,
    "sentencepiece": sentencepiece,
    "rustbpe": rustbpe,
    "ffbpe": ffbpe,
    "bpeasy": bpeasy,
}
DISTRIBUTIONS: Mapping[str, str] = {name: name for name in IMPLEMENTATIONS} | {
    "tokkit": "tokkit-toolkit",
    "tokkit train-vocab": "tokkit-toolkit",
}
