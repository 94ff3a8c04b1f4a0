import json
import shutil
import unicodedata

import pytest
import tokenizers

import tokkit
from tokkit.analysis.audit.characters import SCALARS, check_characters
from tokkit.analysis.audit.checking import Checking
from tokkit.analysis.audit.faithfulness import faithfulness
from tokkit.analysis.audit.stress import TEXTS
from tokkit.normalize import readable
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

BYTES = tuple(bytes([byte]) for byte in range(256))
REQUIRED = ["round trip", "characters", "ids", "offsets", "batch", "library"]


def of_bytes(*more, **settings):
    tokens = (*BYTES, *more)
    return Tokenizer(Vocabulary(tokens), LongestMatch(tokens), **settings)


def saved(path, normalizer=None, merges=()):
    """A byte-level BPE of Hugging Face's library as a file."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *("".join(pair) for pair in merges)]
    made = tokenizers.Tokenizer(
        tokenizers.models.BPE({token: number for number, token in enumerate(tokens)}, merges)
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(
        add_prefix_space=False, use_regex=False
    )
    made.decoder = tokenizers.decoders.ByteLevel()
    if normalizer:
        made.normalizer = normalizer
    path.mkdir()
    made.save(str(path / "tokenizer.json"))
    return path


def checks_of(tokenizer):
    return {check.name: check for check in Checking(tokenizer).all()}


def test_single_bytes_keep_everything():
    found = faithfulness(of_bytes())
    assert found.faithful
    checks = {check.name: check for check in found.checks}
    assert [name for name, check in checks.items() if check.required] == REQUIRED
    assert checks["characters"].tried == 1_112_064
    for check in checks.values():
        assert check.passed == check.tried, check.name
        assert (check.tried > 0) == (check.name != "library")
    assert found.characters.lost == ()


@pytest.mark.parametrize("form", ["NFC", "NFKD"])
def test_characters_that_normalization_changes_are_lost(form, tmp_path):
    # A text of one character: unicodedata alone says which come back, of those that every
    # version of Unicode that is used knows; their normalization never changes.
    path = saved(tmp_path / form, getattr(tokenizers.normalizers, form)())
    found = check_characters(tokkit.load(path))
    lost = {code for each in found.lost for code in range(each.first, each.last + 1)}
    known = [
        code
        for code in range(0x110000)
        if unicodedata.ucd_3_2_0.category(chr(code)) not in ("Cs", "Cn")
    ]
    expected = {code for code in known if unicodedata.normalize(form, chr(code)) != chr(code)}
    assert lost & set(known) == expected
    assert found.kept == SCALARS - len(lost)
    assert found.outcomes()["normalized"] > 0
    rows = {row["first"]: row for row in found.rows()}
    assert rows["U+2126"]["example"] == "Ω" == unicodedata.normalize(form, "\u2126")


def test_texts_that_are_normalized_do_not_come_back(tmp_path):
    path = saved(tmp_path / "nfc", tokenizers.normalizers.NFC())
    checks = checks_of(tokkit.load(path))
    composed = [text for each in TEXTS.values() for text in each]
    changed = [text for text in composed if unicodedata.normalize("NFC", text) != text]
    trip = checks["round trip"]
    assert [failure.text.decode() for failure in trip.failures] == changed
    assert (trip.passed, trip.tried) == (len(composed) - len(changed), len(composed))
    assert checks["library"].passed == checks["library"].tried > 250
    assert checks["ids"].passed == checks["ids"].tried


def test_one_token_of_two_letters_shifts_boundaries_just_there():
    checks = checks_of(of_bytes(b"He"))
    for name in ("concatenation", "earlier tokens"):
        failures = checks[name].failures
        assert {failure.text.decode() for failure in failures} == {"H│ello world"}
    # One of H's two ends is none of "Hello world"'s: T("H") ends where no token ends.
    boundaries = checks["boundaries"]
    assert boundaries.tried - boundaries.passed == 1
    assert checks["chunks"].passed == checks["chunks"].tried


def test_what_is_not_kept_is_named():
    found = faithfulness(of_bytes(keeps_bytes=False))
    broken = {check.name: check for check in found.checks}["bytes"]
    assert found.faithful
    assert (broken.passed, broken.tried) == (0, 6)
    assert broken.failures[0].found == readable(b"\xff").encode() == "\ufffd".encode()
    said = json.loads(json.dumps(found.as_json()))
    names = [check["check"] for check in said["checks"]]
    assert names == found.frame()["check"].tolist()
    assert next(iter(found.lost_frame().columns)) == "first"


def test_a_file_that_means_something_else_to_its_library_is_found(tmp_path):
    path = saved(tmp_path / "one", merges=[("a", "b")])
    loaded = tokkit.load(path)
    assert checks_of(loaded)["library"].failures == ()
    other = saved(tmp_path / "other", merges=[("b", "a")])
    shutil.copy(other / "tokenizer.json", path / "tokenizer.json")
    check = checks_of(loaded)["library"]
    assert check.passed < check.tried
    assert "compared with tokenizers" in check.note
    (path / "tokenizer.json").write_text("{}", encoding="utf-8")
    check = checks_of(loaded)["library"]
    assert check.tried == 0
    assert "does not read" in check.note


@pytest.mark.parametrize(
    ("file", "library", "lost"),
    [
        ("tiktoken/o200k_base.tiktoken", "tiktoken", []),
        ("llama2/tokenizer.model", "sentencepiece", [0x2581]),
        ("hf/gpt2", "tokenizers", []),
    ],
)
def test_real_tokenizers(shared, file, library, lost):
    found = faithfulness(tokkit.load(shared / "tokenizers" / file))
    checks = {check.name: check for check in found.checks}
    assert checks["library"].note == f"compared with {library}"
    for name in ("ids", "offsets", "batch", "library"):
        assert checks[name].passed == checks[name].tried > 0
    assert [each.first for each in found.characters.lost] == lost
    assert found.faithful == (not lost)
