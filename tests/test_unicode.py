"""Class tables: what the engines say, kept and asked for again."""

import os
import time
import unicodedata
from importlib.metadata import version

import numpy as np
import pytest

from tokkit import unicode
from tokkit.kernels import codes
from tokkit.unicode import PACKAGES, SIZE, classes, properties

ENGINES = tuple(PACKAGES)
BITS = (
    unicode.LETTER,
    unicode.NUMBER,
    unicode.UPPER,
    unicode.LOWER,
    unicode.SYMBOL,
    unicode.DIGIT,
)


@pytest.fixture
def newer(monkeypatch, tmp_path):
    """An engine of another version than the shipped table's, and where its table is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(unicode, "version", lambda package: "99.1")
    unicode.properties.cache_clear()
    yield tmp_path / "tokkit" / "classes-1-rust-99.1.json"
    unicode.properties.cache_clear()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_shipped_table_is_what_its_engine_says(engine):
    table, shipped = unicode.read_table(unicode.FOLDER / f"{engine}.json")
    if version(PACKAGES[engine]) != shipped:
        pytest.skip(f"the table is of {PACKAGES[engine]} {shipped}")
    assert np.array_equal(unicode.probe(engine), table)


def properties_of(category):
    """The properties of a general category, such as ``"Lu"``, in the order of `BITS`."""
    is_mark = category[0] == "M"
    return (
        category[0] == "L",
        category[0] == "N",
        category in {"Lu", "Lt", "Lm", "Lo"} or is_mark,
        category in {"Ll", "Lm", "Lo"} or is_mark,
        category[0] in "PS",
        category == "Nd",
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_properties_are_those_of_the_unicode_database(engine):
    """Versions differ in what is assigned, and rarely in a category: U+0295 in version 17."""
    expected = {unicodedata.category(chr(point)): None for point in range(SIZE)}
    expected = {category: properties_of(category) for category in expected}
    differing = []
    for point, bits in enumerate(properties(engine).tolist()):
        category = unicodedata.category(chr(point))
        is_known = bits and category not in {"Cn", "Cs"}
        if is_known and tuple(bool(bits & bit) for bit in BITS) != expected[category]:
            differing.append(point)
    assert len(differing) <= 20


WHITE_SPACE = [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029]
WHITE_SPACE += [0x202F, 0x205F, 0x3000]


@pytest.mark.parametrize("engine", ENGINES)
def test_white_space_is_that_of_the_standard_and_no_more(engine):
    """White_Space in https://www.unicode.org/Public/UCD/latest/ucd/PropList.txt."""
    assert np.flatnonzero(properties(engine) & unicode.SPACE).tolist() == WHITE_SPACE


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("code", [0, codes.MARKS, codes.NUMERIC])
def test_classes_suit_the_scanners(engine, code):
    """Scanners rely on it: nothing is two of letter, number and space; letters have a case."""
    table = classes(engine, code)
    known = table[:, None] & np.array([codes.LETTER, codes.NUMBER, codes.SPACE])
    assert ((known != 0).sum(axis=1) <= 1).all()
    letters = table[(table & codes.LETTER) != 0]
    assert (letters & (codes.UPPER | codes.LOWER)).all()
    assert np.flatnonzero(table & codes.NEWLINE).tolist() == [10, 13]
    assert not (table & codes.CONTINUATION).any()
    assert ((table & codes.LETTER) != 0)[0x301] == (code == codes.MARKS)


@pytest.mark.parametrize("engine", ENGINES)
def test_tables_load_in_no_time(engine):
    unicode.properties.cache_clear()
    before = time.process_time()
    properties(engine)
    assert time.process_time() - before < 0.1


def test_a_table_is_read_as_it_was_written(tmp_path):
    table = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8)
    table[:5000] = 7
    unicode.write_table(tmp_path / "x.json", table, "1.2")
    again, engine_version = unicode.read_table(tmp_path / "x.json")
    assert np.array_equal(table, again)
    assert engine_version == "1.2"
    assert os.listdir(tmp_path) == ["x.json"]


def test_another_version_is_asked_once(newer, monkeypatch):
    asked = []
    monkeypatch.setattr(
        unicode,
        "probe",
        lambda engine: asked.append(engine) or np.arange(SIZE).astype(np.uint8),
    )
    assert properties("rust")[5] == 5
    unicode.properties.cache_clear()
    assert properties("rust")[6] == 6
    assert asked == ["rust"]
    assert newer.is_file()


def test_a_damaged_table_is_asked_for_again(newer, monkeypatch):
    newer.parent.mkdir()
    newer.write_text('{"starts": [0]')
    monkeypatch.setattr(unicode, "probe", lambda engine: np.full(SIZE, 3, dtype=np.uint8))
    assert properties("rust")[0] == 3
    assert unicode.read_table(newer)[1] == "99.1"


def test_a_table_that_cannot_be_kept_is_used(newer, monkeypatch):
    newer.parent.write_text("a file where the folder should be")
    monkeypatch.setattr(unicode, "probe", lambda engine: np.full(SIZE, 3, dtype=np.uint8))
    assert properties("rust")[0] == 3


def test_without_the_engine_the_shipped_table_holds(monkeypatch):
    def absent(package):
        raise unicode.PackageNotFoundError(package)

    unicode.properties.cache_clear()
    monkeypatch.setattr(unicode, "version", absent)
    assert properties("rust")[ord("a")] == unicode.LETTER | unicode.LOWER
    unicode.properties.cache_clear()
