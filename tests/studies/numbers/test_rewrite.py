"""Rewritten tokenizers, through the libraries that read them."""

import gzip
import json
import time
from pathlib import Path

import pytest
import regex
import tokenizers

import tokkit
from tests.formats.families import FAMILIES, SAMPLE, added
from tokkit.errors import FormatError, UsageError
from tokkit.studies.numbers.rewrite import RECORD, rewrite_numbers


def write(folder, family, **parts):
    """Write a family's tokenizer as a folder, with other files beside it."""
    folder.mkdir()
    content = FAMILIES[family]()
    (folder / "tokenizer.json").write_text(json.dumps({**content, **parts}), encoding="utf-8")
    return folder


def tokens(tokenizer, text):
    ids = tokenizer.encode(text).tolist()
    return [tokenizer.vocab.tokens[each].decode() for each in ids]


@pytest.mark.parametrize(
    ("family", "digits"),
    [
        ("gpt2", "r2l2"),
        ("gpt2", "l2r3"),
        ("llama2", "l2r3"),
        ("llama2", "single"),
        ("starcoder", "r2l2"),
        ("llama first", "r2l2"),
    ],
)
def test_groups_are_tokens_and_ids_keep_their_meaning(tmp_path, family, digits):
    source = write(tmp_path / "old", family)
    done = rewrite_numbers(str(source), tmp_path / "new", digits, add_tokens=True)
    old, new = tokkit.load(source), tokkit.load(tmp_path / "new")
    assert new.vocab.tokens[: len(old)] == old.vocab.tokens
    assert new.vocab.specials == old.vocab.specials
    assert done.added == len(new) - len(old)
    assert [each.tokens for each in done.coverage] == [
        10**each.digits for each in done.coverage
    ]
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "new" / "tokenizer.json"))
    for text in ("9876543", "x1234, 12.5 km", "١٢٣ ½"):
        assert library.encode(text, add_special_tokens=False).ids == new.encode(text).tolist()
    parts = {"single": "9|8|7|6", "r2l2": "98|76", "l2r3": "987|6"}[digits].split("|")
    assert [part for part in tokens(new, "9876") if part.strip()] == parts


def test_what_is_beside_the_tokenizer_is_kept(tmp_path):
    source = write(
        tmp_path / "old",
        "llama3",
        added_tokens=[added("<s>", 1), added("<end>", 900), added("km", 901, special=False)],
    )
    config = {"bos_token": "<s>", "chat_template": "{{ x }}", "model_max_length": 77}
    (source / "tokenizer_config.json").write_text(json.dumps(config))
    (source / "special_tokens_map.json").write_text(
        json.dumps({"eos_token": "<end>", "pad_token": "<none>"})
    )
    (source / "chat_template.jinja").write_text("{{ y }}")
    rewrite_numbers(str(source), tmp_path / "new", "single")
    kept = json.loads((tmp_path / "new" / "tokenizer_config.json").read_text())
    assert config.items() <= kept.items()
    assert kept["tokenizer_class"] == "PreTrainedTokenizerFast"
    roles = json.loads((tmp_path / "new" / "special_tokens_map.json").read_text())
    assert roles == {"eos_token": "<end>"}
    assert (tmp_path / "new" / "chat_template.jinja").read_text() == "{{ y }}"
    new = tokkit.load(tmp_path / "new")
    assert new.added.tokens == tokkit.load(source).added.tokens
    said = json.loads((tmp_path / "new" / RECORD).read_text())
    assert said["digits"] == "single"
    assert said["changes"] == [{"step": "Split", "before": r"\p{N}{1,3}", "after": r"\p{N}"}]


def test_a_model_beside_which_the_library_cuts_otherwise_is_named(tmp_path):
    pytest.importorskip("transformers")
    source = write(tmp_path / "old", "qwen2")
    (source / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    done = rewrite_numbers(str(source), tmp_path / "new", "r2l2", add_tokens=True)
    assert "beside the model's config.json" in done.trouble
    assert "load the tokenizer with PreTrainedTokenizerFast" in done.trouble
    assert done.trouble in done.notes
    assert not (tmp_path / "new" / "config.json").exists()
    (source / "config.json").write_text(json.dumps({"model_type": "llama"}))
    done = rewrite_numbers(str(source), tmp_path / "other", "r2l2", add_tokens=True)
    assert done.trouble == ""


@pytest.mark.parametrize(
    ("family", "digits", "reason"),
    [
        ("bert", "r2l3", "would be read back as '1 234 567'"),
        ("clip", "r2l3", "would be read back as '1 234 567'"),
        ("words", "single", "would be read back as"),
        ("llama2", "l2r8", r"no token of 8 digits.*groups of \d( \(single\))? at most$"),
        ("llama2", "l2r4", "no token of 4 digits.*or let --add-tokens make tokens"),
        ("llama2 fused", "single", "1 of the ten digits are no token"),
        ("contiguous", "l2r3", "a way that could not be changed: '.*' is .* and should be"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(tmp_path, family, digits, reason):
    source = write(tmp_path / "old", family)
    with pytest.raises(FormatError, match=reason) as caught:
        rewrite_numbers(str(source), tmp_path / "new", digits, add_tokens="cont" in family)
    assert str(source) in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [source]


def test_tokens_are_added_for_small_groups_only(tmp_path):
    source = write(tmp_path / "old", "gpt2")
    with pytest.raises(UsageError, match="ask for at most 4"):
        rewrite_numbers(str(source), tmp_path / "new", "r2l5", add_tokens=True)


def test_a_folder_is_replaced_only_on_request_and_only_if_it_is_ours(tmp_path):
    source = str(write(tmp_path / "old", "gpt2"))
    rewrite_numbers(source, tmp_path / "new", "single")
    with pytest.raises(UsageError, match="--force"):
        rewrite_numbers(source, tmp_path / "new", "single")
    rewrite_numbers(source, tmp_path / "new", "single", force=True)
    with pytest.raises(UsageError, match=f"has no {RECORD}"):
        rewrite_numbers(source, tmp_path / "old", "single", force=True)


def test_the_same_bytes_come_out_again(tmp_path):
    source = str(write(tmp_path / "old", "unigram bytes"))
    contents = []
    for name in ("a", "b"):
        rewrite_numbers(source, tmp_path / name, "r2l2", add_tokens=True)
        contents.append((tmp_path / name / "tokenizer.json").read_bytes())
    assert contents[0] == contents[1]


def listed(folder, **scores):
    """Write a tokenizer whose pieces are a list: ten digits, and those that are given."""
    pieces = {"<unk>": -20.0, "▁": -3.0, **dict.fromkeys("0123456789", -2.0), **scores}
    settings = {"replacement": "▁", "prepend_scheme": "always", "split": True}
    model = {"type": "Unigram", "unk_id": 0, "vocab": [*map(list, pieces.items())]}
    content = {"model": model, "pre_tokenizer": {"type": "Metaspace", **settings}}
    content["decoder"] = content["pre_tokenizer"]
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return str(folder)


def test_unknown_numerals_side_by_side_may_become_more_unknown_tokens(tmp_path):
    done = rewrite_numbers(listed(tmp_path / "old"), tmp_path / "new", "single")
    new = tokkit.load(tmp_path / "new")
    assert done.examples["1234567"] == [" ", *"1234567"]
    assert new.encode("٣٤٥").tolist() == [1, 0, 0, 0]


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """Write a model of SentencePiece as it is by default: scored pieces, normalized text."""
    sentencepiece = pytest.importorskip("sentencepiece")
    folder = tmp_path_factory.mktemp("pieces")

    def write(**settings):
        path = folder / f"{'-'.join(settings) or 'default'}.model"
        with path.open("wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter([SAMPLE, "0123456789 12 345 678 é"] * 9),
                model_writer=file,
                vocab_size=300,
                hard_vocab_limit=False,
                minloglevel=2,
                num_threads=1,
                **settings,
            )
        return path, sentencepiece.SentencePieceProcessor(model_file=str(path))

    return write


def test_what_a_tokenizer_json_cannot_say_of_a_file_does_not_stop_a_rewrite(tmp_path, pieces):
    source, processor = pieces()
    done = rewrite_numbers(str(source), tmp_path / "new", "r2l3", add_tokens=True)
    assert "other tokens in a tokenizer.json than in the original file" in done.notes[0]
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "new" / "tokenizer.json"))
    for text in (*SAMPLE.split("."), "ﬁne  caf\u00e9"):
        if not regex.search(r"\p{N}", text):
            ids = library.encode(text, add_special_tokens=False).ids
            assert ids == processor.encode(text)
    kept = library.get_vocab()
    for number in range(processor.get_piece_size()):
        assert kept[processor.id_to_piece(number)] == number
    assert library.encode("1234567").tokens[-2:] == ["234", "567"]


def test_what_cannot_be_said_in_a_tokenizer_json_is_refused_by_name(tmp_path, pieces):
    source, _ = pieces(treat_whitespace_as_suffix=True)
    with pytest.raises(FormatError, match=r"cannot be said.*after words") as caught:
        rewrite_numbers(str(source), tmp_path / "new", "single")
    assert str(source) in str(caught.value)


def test_added_groups_do_not_take_apart_those_that_are_tokens_already(tmp_path):
    source = listed(tmp_path / "old", **{"123": -5.9, "45": -4.5})
    done = rewrite_numbers(source, tmp_path / "new", "r2l3", add_tokens=True)
    assert [each.tokens for each in done.coverage] == [10, 100, 1000]
    assert done.added == 99 + 999
    content = json.loads((tmp_path / "new" / "tokenizer.json").read_text(encoding="utf-8"))
    assert dict(map(tuple, content["model"]["vocab"]))["123"] == -5.9


def sentences(shared: Path, count: int):
    """Lines of a parallel corpus in all its languages, without numbers."""
    path = shared / "corpora" / "parallel_fastapi.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line)["text"] for line in lines]
    texts = [text for row in rows[::10] for text in row.values()]
    plain = [line for text in texts for line in text.splitlines(keepends=True)]
    return [line for line in plain if not regex.search(r"\p{N}", line)][:: len(plain) // count]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        pytest.param("hf/cl100k", "1|234|567", marks=pytest.mark.slow),
        pytest.param("tiktoken/o200k_base.tiktoken", "1|234|567", marks=pytest.mark.slow),
        ("hf/gpt2", "1|234|5|67"),
        ("llama2/tokenizer.model", " |1|234|567"),
        pytest.param("focus_de_xlmr-unigram-50k", " 1|234|5|67", marks=pytest.mark.slow),
    ],
)
def test_real_tokenizers_change_in_numbers_only(shared, tmp_path, name, parts):
    source = shared / "tokenizers" / name
    done = rewrite_numbers(
        str(source), tmp_path / "new", "r2l3", add_tokens=name.startswith("llama2")
    )
    assert done.examples["1234567"] == parts.split("|")
    old, new = tokkit.load(source), tokkit.load(tmp_path / "new")
    texts = sentences(shared, 500)
    for before, after in zip(
        old.encode_batch(texts, parse_specials=False),
        new.encode_batch(texts, parse_specials=False),
        strict=True,
    ):
        assert before.tolist() == after.tolist()
    assert new.decode(new.encode(" 1234567\n x12345")) == old.decode(
        old.encode(" 1234567\n x12345")
    )
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "new" / "tokenizer.json"))
    assert taken(library.encode, 200_000) < 3 * taken(library.encode, 100_000) + 0.05
    assert taken(new.encode, 200_000) < 3 * taken(new.encode, 100_000) + 0.05


def taken(encode, length):
    """The least processor time of three for a run of digits."""
    times = []
    for _ in range(3):
        start = time.process_time()
        encode("7" * length)
        times.append(time.process_time() - start)
    return min(times)
