"""``tokkit encode``, ``decode`` and ``convert``."""

import gzip
import json

import pytest
import sentencepiece

import tokkit as library

LINES = "one <|end|> two\n\n東京 12345\r\nlast".encode() + b" \xff\x00"


def test_a_line_is_a_document(invoke, trained):
    result = invoke("encode", trained, input=LINES)
    tokenizer = library.load(trained)
    assert result.exit_code == 0, result.stderr
    ids = [json.loads(line) for line in result.stdout.splitlines()]
    assert ids == [tokenizer.encode(line).tolist() for line in LINES.split(b"\n")]


def test_json_is_one_document(invoke, trained):
    lines = invoke("encode", trained, input=LINES).stdout.splitlines()
    whole = invoke("encode", trained, "--json", input=LINES).stdout
    assert json.loads(whole) == [json.loads(line) for line in lines]
    assert invoke("encode", trained, "--json", input=b"").stdout == "[]\n"
    assert invoke("encode", trained, input=b"").stdout == ""


@pytest.mark.parametrize("text", [LINES + b"\n", b"\n\n", b"x\n"])
def test_lines_round_trip(invoke, trained, text):
    ids = invoke("encode", trained, "--no-specials", input=text).stdout_bytes
    assert invoke("decode", trained, input=ids).stdout_bytes == text


@pytest.mark.parametrize("text", [LINES, b"", b"\n", bytes(range(256))])
def test_whole_texts_round_trip(invoke, trained, text):
    ids = invoke("encode", trained, "--whole", "--no-specials", input=text).stdout_bytes
    assert invoke("decode", trained, "--whole", input=ids).stdout_bytes == text


def test_processes_round_trip(tokkit, trained):
    ids = tokkit("encode", trained, "--no-specials", input=LINES).stdout
    assert tokkit("decode", trained, input=ids).stdout == LINES + b"\n"


def test_special_tokens_are_read_and_written_on_request(invoke, trained):
    read = invoke("encode", trained, "--specials", input=b"a<|end|>").stdout
    plain = invoke("encode", trained, "--no-specials", input=b"a<|end|>").stdout
    assert len(json.loads(read)) < len(json.loads(plain))
    assert invoke("decode", trained, input=read).stdout == "a\n"
    assert invoke("decode", trained, "--specials", input=read).stdout == "a<|end|>\n"


def test_records_are_documents_and_empty_ones_keep_their_place(invoke, trained, tmp_path):
    records = ["one two", "", "zwei\ndrei"]
    path = tmp_path / "records.jsonl.gz"
    lines = "\n".join(json.dumps({"body": text}) for text in records)
    path.write_bytes(gzip.compress(lines.encode()))
    result = invoke("encode", trained, path, "--text-column", "body")
    decoded = invoke("decode", trained, "--json", input=result.stdout).stdout
    assert json.loads(decoded) == records


def test_bytes_that_are_no_text_survive_json(invoke, trained):
    ids = invoke("encode", trained, input=b"\xff").stdout
    decoded = json.loads(invoke("decode", trained, "--json", input=ids).stdout)
    assert decoded[0].encode("utf-8", "surrogateescape") == b"\xff"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1, 2", "line 2: not JSON"),
        ("7", "line 2: not a list of ids"),
        ('[1, "a"]', "line 2: not a list of ids"),
        ("[true]", "line 2: not a list of ids"),
        ("[330]", "line 2: id 330 is outside a vocabulary of 330"),
        ("[-1]", "line 2: id -1 is outside"),
        ("[99999999999999999999]", "outside a vocabulary"),
    ],
)
def test_lines_that_are_no_ids_are_named(invoke, trained, line, said):
    result = invoke("decode", trained, input=f"[1]\n{line}\n")
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("to", "pattern"),
    [("hf", "cl100k"), ("tiktoken", "o200k"), ("gguf", "cl100k"), ("files", "gpt2")],
)
def test_a_converted_tokenizer_gives_the_same_ids(invoke, trained, tmp_path, to, pattern):
    learned, output = tmp_path / "learned", tmp_path / f"converted.{to}"
    arguments = ("--pattern", pattern, "--vocab-size", 330, "-o", learned)
    assert invoke("train-vocab", trained.parent / "prose.txt", *arguments).exit_code == 0
    result = invoke("convert", learned, "--to", to, "-o", output, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["vocab_size"] == 330
    pattern = ("--pattern", pattern) if to in ("files", "tiktoken") else ()
    text = "the worst of times\n 12345 東京\n"
    first = invoke("encode", learned, input=text).stdout
    assert invoke("encode", output, *pattern, input=text).stdout == first


def test_what_a_format_cannot_say_is_refused(invoke, trained, tmp_path):
    output = tmp_path / "files"
    result = invoke("convert", trained, "--to", "files", "-o", output)
    assert (result.exit_code, output.exists()) == (2, False)
    assert "cl100k" in result.stderr


def test_converting_keeps_what_is_there_unless_forced(invoke, trained, tmp_path):
    output = tmp_path / "a.gguf"
    assert invoke("convert", trained, "--to", "gguf", "-o", output).exit_code == 0
    assert invoke("convert", trained, "--to", "gguf", "-o", output).exit_code == 2
    assert invoke("convert", trained, "--to", "gguf", "-o", output, "--force").exit_code == 0


@pytest.fixture(scope="module")
def normalizing(tmp_path_factory):
    """A default model of SentencePiece, of which a tokenizer.json loses a little."""
    path = tmp_path_factory.mktemp("pieces") / "own.model"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["the cat sat on the mat", "another cat did not"] * 9),
            model_writer=file,
            vocab_size=300,
            hard_vocab_limit=False,
            byte_fallback=True,
            minloglevel=2,
            num_threads=1,
        )
    return path


def test_what_is_lost_in_converting_has_to_be_accepted(invoke, normalizing, tmp_path):
    asked = ("convert", normalizing, "--to", "hf", "-o", tmp_path / "out")
    result = invoke(*asked)
    assert (result.exit_code, (tmp_path / "out").exists()) == (1, False)
    assert "--inexact writes it all the same" in result.stderr
    result = invoke(*asked, "--inexact")
    assert result.exit_code == 0
    assert "warning" in result.stderr
    text = "the cat did not sit\n"
    ids = invoke("encode", tmp_path / "out", input=text).stdout
    reader = sentencepiece.SentencePieceProcessor(model_file=str(normalizing))
    assert json.loads(ids) == reader.encode(text.strip())


def test_other_formats_are_exact_or_refused(invoke, normalizing, tmp_path):
    result = invoke("convert", normalizing, "--to", "gguf", "-o", tmp_path / "x", "--inexact")
    assert (result.exit_code, (tmp_path / "x").exists()) == (2, False)
    assert "--inexact goes with --to hf" in result.stderr
