"""Recorded answers of a public study."""

import json

import pytest

from tests.studies.counting.studies import simulate, write_recorded
from tokkit.errors import CorpusError, UsageError
from tokkit.results import Provenance, write_study
from tokkit.studies.counting.files import Recording, score_files
from tokkit.studies.counting.plan import Plan
from tokkit.studies.counting.recorded import Asked, asked_of_file
from tokkit.studies.counting.row_files import write_rows

COLUMNS = "key,task,sample,truth,input_format,prompt_style"
STRINGS = {"0": "abba", "1": "aab", "2": "bbb"}
RIGHT = {"0": "Result: 2", "1": "Result: 2", "2": "Result: 0"}


@pytest.fixture
def strings(tmp_path):
    path = tmp_path / "count_dataset_3_4_ab.jsonl"
    lines = (json.dumps({"id": int(name), "sample": text}) for name, text in STRINGS.items())
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("count_res_a_3_s.jsonl", Asked("a", "list", "supervise")),
        ("count_res_b_1_c.jsonl", Asked("b", "raw", "cot")),
        ("count_res_z_4.jsonl", Asked("z", "space", "direct")),
        ("count_res_e_baseline.jsonl", Asked("e", "raw", "direct")),
    ],
)
def test_names_say_what_was_asked(tmp_path, name, asked):
    assert asked_of_file(tmp_path / name) == asked


@pytest.mark.parametrize("name", ["o1_results.jsonl", "count_res_z_s.jsonl"])
def test_names_that_do_not_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="give --target, --format and --style"):
        asked_of_file(tmp_path / name)


@pytest.mark.parametrize("layout", ["openai", "claude"])
def test_recorded_answers_are_scored(tmp_path, strings, layout):
    raw = write_recorded(tmp_path / "count_res_a_1_s.jsonl", RIGHT | {"1": "None."}, layout)
    other = write_recorded(tmp_path / "count_res_a_3_s.jsonl", RIGHT, layout)
    scores = score_files([raw, other], Recording(strings=strings))
    assert scores.cells[["input_format", "n", "valid", "k"]].values.tolist() == [
        ["raw", 3, 2, 2],
        ["list", 3, 3, 3],
    ]
    assert set(scores.rows["model"]) == {"gpt-x" if layout == "openai" else ""}
    assert not scores.notes
    assert len(scores.comparisons) == 1


def test_what_is_wrong_with_a_file_is_said(tmp_path, strings):
    path = write_recorded(tmp_path / "count_res_a_1_s.jsonl", RIGHT | {"9": "Result: 1"})
    lines = path.read_text().splitlines()
    twice, cut = lines[0], lines[1][: len(lines[1]) // 2]
    path.write_text("\n".join([lines[0], lines[3], "[1]", twice, cut]))
    scores = score_files([path], Recording(strings=strings))
    assert scores.cells["n"].tolist() == [1]
    told = "\n".join(scores.notes)
    for reason in (
        ":3: not a JSON object",
        ":4: another answer to '0'",
        ":5: not JSON",
        "cut off?",
        "1 answers are to no string that was given, such as '9'",
        "2 of 3 strings have no answer",
    ):
        assert reason in told


def test_what_was_asked_can_be_said(tmp_path, strings):
    path = write_recorded(tmp_path / "o1_results.jsonl", RIGHT)
    recording = Recording(strings=strings, asked=Asked("a", "raw", "direct"), model="o1")
    assert score_files([path], recording).cells["model"].tolist() == ["o1"]


def test_empty_files_have_no_answers(tmp_path, strings):
    path = tmp_path / "count_res_a_4_s.jsonl"
    path.write_text("")
    with pytest.raises(CorpusError, match="has no answers"):
        score_files([path], Recording(strings=strings))
    full = write_recorded(tmp_path / "count_res_a_1_s.jsonl", RIGHT)
    scores = score_files([path, full], Recording(strings=strings))
    assert scores.notes == [f"{path}: 3 of 3 strings have no answer"]


def test_two_records_of_one_question_are_not_mixed(tmp_path, strings):
    first = write_recorded(tmp_path / "count_res_a_1_s.jsonl", RIGHT)
    (tmp_path / "again").mkdir()
    second = write_recorded(tmp_path / "again" / "count_res_a_1_s.jsonl", RIGHT)
    with pytest.raises(CorpusError, match="answered twice"):
        score_files([first, second], Recording(strings=strings))


def test_strings_are_needed(tmp_path):
    path = write_recorded(tmp_path / "count_res_a_1_s.jsonl", RIGHT)
    with pytest.raises(UsageError, match="--strings"):
        score_files([path])


def test_the_folder_of_a_study_is_scored(tmp_path):
    scores = simulate("off-by-one:0.5", Plan(number=10))
    write_study(tmp_path, scores.rows, Provenance(study="counting"), writer=write_rows)
    assert score_files([tmp_path]).as_json() == scores.as_json()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is not the folder of a study"):
        score_files([tmp_path / "empty"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("key,task\n1,count\n", "has no column 'sample'"),
        (
            "key,task,sample,truth,input_format,prompt_style\nk,add,ab,1,raw,cot\n",
            "row 1: no ta",
        ),
        ("key,task,sample,truth,input_format,prompt_style\nk,count,ab,x,raw,cot\n", "row 1"),
    ],
)
def test_other_tables_are_refused(tmp_path, content, reason):
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(CorpusError, match=reason):
        score_files([path])
