"""Budgets: never exceeded, whatever is under way, and used as far as they go."""

from hypothesis import given
from hypothesis import strategies as st

from tests.studies.asking.echo import Echo, run, texts_of
from tokkit.studies.asking import AnswerCache, Budget, TryAgain


def budget(limit, *, estimate=2.0, charge=1.0):
    return Budget(
        estimate=lambda request: estimate, charge=lambda request, answer: charge, limit=limit
    )


def test_a_budget_is_never_exceeded_and_used_as_far_as_it_goes():
    """Answers cost half of what they may: of ten dollars, nine are spent one by one."""
    asked = run(map(str, range(50)), Echo(workers=5), budget=budget(10.0))
    account = asked.account
    assert (account.answered, account.not_asked) == (9, 41)
    assert (account.charged, account.estimated) == (9.0, 18.0)
    assert texts_of(asked) == [*map(str, range(9)), *[None] * 41]


@given(st.floats(0, 20), st.floats(0, 1), st.integers(1, 6), st.integers(1, 3))
def test_no_moment_at_which_a_budget_could_be_exceeded(limit, share, workers, batch_size):
    backend = Echo(workers=workers, batch_size=batch_size)
    asked = run(map(str, range(12)), backend, budget=budget(limit, charge=2 * share))
    assert asked.account.charged <= limit * (1 + 1e-9)
    assert asked.account.answered + asked.account.not_asked == 12
    if asked.account.not_asked:
        assert asked.account.charged + 2 * batch_size > limit


def test_a_budget_of_just_what_all_costs_is_enough():
    just = budget(0.1 + 0.1 + 0.1, estimate=0.1, charge=0.1)
    assert run("abc", Echo(), budget=just).account.answered == 3
    assert (
        run("abc", Echo(), budget=budget(0.3, estimate=0.1, charge=0.1)).account.answered == 3
    )


def test_attempts_that_may_be_billed_count():
    """Each attempt may cost two dollars: after two that came to nothing, three are left."""
    backend = Echo(lambda text, _: TryAgain("late", billed=True), workers=1)
    asked = run("abc", backend, budget=budget(5.0))
    assert backend.asked == ["a", "a"]
    assert texts_of(asked) == ["late (2 attempts)", None, None]
    assert (asked.account.charged, asked.account.not_asked) == (4.0, 2)


def test_what_is_in_the_cache_costs_nothing():
    cache = AnswerCache()
    run("abc", Echo(), cache)
    asked = run("abc", Echo(), cache, budget=budget(0.0))
    assert texts_of(asked) == list("abc")
    assert asked.account.charged == 0


def test_without_a_limit_there_is_an_account():
    account = run("abc", Echo(), budget=budget(None)).account
    assert (account.estimated, account.charged) == (6.0, 3.0)
    assert account.as_json()["charged"] == 3.0
    assert run("abc", Echo()).account.charged is None
