import gzip
import json

import pytest

from tokkit.analysis.parallel import Parallel, read_parallel
from tokkit.errors import CorpusError, UsageError

TEXTS = {"en": [b"one", b"two words"], "de": [b"eins", "zwei Wörter".encode()]}


def write_lines(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return [str(path)]


@pytest.mark.parametrize(
    ("records", "options"),
    [
        (
            [
                {"doc": "a", "text": {"en": "one", "de": "eins"}},
                {"doc": "b", "text": {"en": "two words", "de": "zwei Wörter"}},
            ],
            {},
        ),
        (
            [
                {"translation": {"en": "one", "de": "eins"}},
                {"translation": {"en": "two words", "de": "zwei Wörter"}},
            ],
            {},
        ),
        (
            [
                {"key": "a", "en": "one", "de": "eins", "score": 1},
                {"key": "b", "en": "two words", "de": "zwei Wörter", "score": 2},
            ],
            {"id_column": "key"},
        ),
        (
            [
                {"url": "a", "en": "one", "de": "eins"},
                {"url": "b", "en": "two words", "de": "zwei Wörter"},
            ],
            {"languages": ["en", "de"]},
        ),
        (
            [
                {"bcp47": "en", "text": "-", "segments": {"1": "one", "2": "two words"}},
                {"bcp47": "de", "text": "-", "segments": {"2": "zwei Wörter", "1": "eins"}},
            ],
            {},
        ),
        (
            [
                {"tongue": "en", "segments": ["one", "two words"]},
                {"tongue": "de", "segments": ["eins", "zwei Wörter"]},
            ],
            {"language_column": "tongue"},
        ),
        (
            [
                {"lang": "en", "n": 1, "text": "one"},
                {"lang": "en", "n": 2, "text": "two words"},
                {"lang": "de", "n": 2, "text": "zwei Wörter"},
                {"lang": "de", "n": 1, "text": "eins"},
            ],
            {"id_column": "n"},
        ),
        (
            [
                {"lang": "en", "text": "one"},
                {"lang": "de", "text": "eins"},
                {"lang": "en", "text": "two words"},
                {"lang": "de", "text": "zwei Wörter"},
            ],
            {},
        ),
    ],
)
def test_all_layouts_of_records_are_the_same_texts(tmp_path, records, options):
    paths = write_lines(tmp_path / "texts.jsonl", *records)
    assert read_parallel(paths, **options).texts == TEXTS


@pytest.mark.parametrize(
    "names",
    [
        ("en.txt", "de.txt"),
        ("en/eval.txt", "de/eval.txt"),
        ("newstest.en", "newstest.de"),
        ("en.txt.gz", "de.txt.gz"),
    ],
)
def test_languages_are_what_tells_files_apart(tmp_path, names):
    for name, lines in zip(names, TEXTS.values(), strict=True):
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = b"".join(line + b"\n" for line in lines)
        path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    found = read_parallel([str(tmp_path / "texts")])
    assert dict(sorted(found.texts.items())) == dict(sorted(TEXTS.items()))
    assert len(found.files) == 2


def test_languages_can_be_named_and_have_several_files(tmp_path):
    for name, text in [("a", "one\r\ntwo\n"), ("b", "three"), ("c", "1\n2\n3")]:
        (tmp_path / name).write_bytes(text.encode())
    given = [f"x={tmp_path}/a", f"y={tmp_path}/c", f"x={tmp_path}/b"]
    assert read_parallel(given).texts == {
        "x": [b"one", b"two", b"three"],
        "y": [b"1", b"2", b"3"],
    }


def test_flores_folders(tmp_path):
    for part in ("dev", "devtest"):
        for language in ("eng_Latn", "deu_Latn", "fra_Latn"):
            path = tmp_path / part / f"{language}.{part}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{part} {language}\nmore\n")
    paths = [str(tmp_path / part) for part in ("dev", "devtest")]
    found = read_parallel(paths, languages=["eng_Latn", "deu_Latn"])
    assert list(found.texts) == ["eng_Latn", "deu_Latn"]
    assert found.texts["deu_Latn"] == [b"dev deu_Latn", b"more", b"devtest deu_Latn", b"more"]
    # As `file.read().split("\n")` of Petrov et al. has it: with what follows the last feed.
    joined = read_parallel(paths, joined=True)
    assert b" ".join(joined.texts["eng_Latn"]) == b"dev eng_Latn more  devtest eng_Latn more "


def test_what_a_language_lacks_is_left_out_and_told(tmp_path):
    records = [{"en": "a", "de": "b"}, {"en": "c"}, {"en": "d", "de": " "}, {"de": None}]
    found = read_parallel(write_lines(tmp_path / "a.jsonl", *records))
    assert found.texts == {"en": [b"a"], "de": [b"b"]}
    assert found.incomplete == 3


def test_the_pivot_is_english_or_named():
    texts = Parallel({"de": [b"a"], "eng_Latn": [b"a"]})
    assert texts.pivot() == "eng_Latn"
    assert texts.pivot("de") == "de"
    assert Parallel({"fr": [], "en-GB": []}).pivot() == "en-GB"
    with pytest.raises(UsageError, match=r"no 'fr': choose the --pivot among de, eng_Latn"):
        texts.pivot("fr")
    with pytest.raises(UsageError, match="none is called en or eng"):
        Parallel({"enx": [], "fr": []}).pivot()


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (['{"en": "a", "de": "b"}', "{"], "line 2: not JSON"),
        (["[]"], "line 1: not a JSON object"),
        (['{"text": {"en": 1, "de": "b"}}'], "line 1: column 'en' holds int"),
        (['{"text": {"en": "a", "de": "b"}}', '{"text": "a"}'], "line 2: no object of texts"),
        (['{"en": "a"}'], "texts are en: at least two"),
        (['{"lang": "en", "body": "a"}'], "no column 'text'"),
        (['{"lang": "en", "text": "a"}', '{"text": "a"}'], "line 2: no language in"),
        (['{"en": "a", "de": ""}'], "no text is in all languages; 'de' has 0"),
        ([], "no records"),
    ],
)
def test_bad_records_are_named(tmp_path, lines, error):
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(CorpusError, match=error):
        read_parallel([str(path)])


def test_a_text_cannot_be_there_twice(tmp_path):
    rows = [{"lang": "en", "id": 1, "text": "a"}, {"lang": "en", "id": 1, "text": "b"}]
    with pytest.raises(CorpusError, match="line 2: 'en' has the text '1' twice"):
        read_parallel(write_lines(tmp_path / "a.jsonl", *rows), id_column="id")


def test_lines_have_to_be_as_many(tmp_path):
    (tmp_path / "en.txt").write_text("a\nb\n")
    (tmp_path / "de.txt").write_text("a\n")
    with pytest.raises(CorpusError, match="'de' has 1 lines and 'en' has 2"):
        read_parallel([str(tmp_path)])


def test_records_and_files_of_languages_do_not_mix(tmp_path):
    (tmp_path / "en.txt").write_text("a\n")
    records = write_lines(tmp_path / "a.jsonl", {"en": "a", "de": "b"})
    with pytest.raises(UsageError, match="either as JSON lines or as files"):
        read_parallel([*records, str(tmp_path / "en.txt")])
