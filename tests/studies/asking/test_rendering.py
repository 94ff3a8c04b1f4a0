from tokkit.studies.asking.rendering import ends_with_line, plain_text
from tokkit.studies.asking.request import Message

SYSTEM = Message("system", "Be brief.")
SHOTS = [
    Message("user", "1+2="),
    Message("assistant", "3"),
    Message("user", "30+4="),
    Message("assistant", "34"),
]
LAST = Message("user", "5+6=")


def test_few_shots_are_lines_ready_for_an_answer():
    assert plain_text([SYSTEM, *SHOTS, LAST]) == "Be brief.\n\n1+2=3\n30+4=34\n5+6="
    assert plain_text([LAST]) == "5+6="
    assert ends_with_line([SYSTEM, *SHOTS, LAST])


def test_questions_in_words_have_their_answer_in_the_next_line():
    asked = [Message("user", "How many?"), Message("assistant", "2"), Message("user", "Now?")]
    assert plain_text(asked) == "How many?\n2\nNow?\n"
    assert not ends_with_line(asked)


def test_answers_of_several_lines_do_not_end_with_one():
    asked = [Message("user", "Count.\n\nString: ab\n\nResponse:")]
    assert plain_text(asked) == asked[0].content
    assert not ends_with_line(asked)
    assert not ends_with_line([SHOTS[0], Message("assistant", "a\nb"), LAST])
