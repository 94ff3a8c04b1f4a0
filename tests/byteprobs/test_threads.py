"""One model asked by several threads, and models that are pickled."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from time import sleep

import numpy as np
import pytest

from tests.byteprobs.families import FAMILIES
from tests.byteprobs.models import random_model
from tokkit.byteprobs import ByteLM
from tokkit.canonical import build
from tokkit.canonical.states import States
from tokkit.errors import ImpossibleError
from tokkit.lm import NGramModel

THREADS = 4
KINDS = ("gpt2 words", "unigram", "added")


@pytest.fixture
def _impatient():
    """Have threads take turns much more often than usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def at_once(task):
    """Run a task of a number in threads that begin together."""
    barrier = Barrier(THREADS)

    def run(number):
        barrier.wait()
        return task(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@dataclass(frozen=True)
class Yielding:
    """A state that lets another thread go on whenever it is looked up."""

    value: int

    def __hash__(self):
        sleep(0)
        return self.value


def test_threads_agree_on_the_numbers_of_states():
    states = States()
    met = [[number % (23 + thread) for number in range(200)] for thread in range(THREADS)]
    found = at_once(lambda thread: [states.number(Yielding(each)) for each in met[thread]])
    numbers = {}
    for own, given in zip(met, found, strict=True):
        for each, number in zip(own, given, strict=True):
            assert numbers.setdefault(each, number) == number
            assert states[number] == Yielding(each)
    assert len(set(numbers.values())) == len(numbers) == len(states)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("name", KINDS)
def test_threads_find_what_one_finds_alone(name, tmp_path, monkeypatch):
    """Each has a model of its own, all the same grammar, which has met no text yet."""
    family = FAMILIES[name](tmp_path, 1)
    alphabet = "".join(family.alphabet)
    texts = [alphabet[place:] + alphabet[: place + 2] for place in range(2 * THREADS)]

    def find(number):
        lm = ByteLM(random_model(family, seed=3))
        found = []
        for text in texts[number:] + texts[:number]:
            for end in range(len(text)):
                try:
                    found.append((text[:end], lm.next(text[:end]).logp_prefix))
                except ImpossibleError as error:
                    found.append((text[:end], str(error)))
        return sorted(found, key=str)

    monkeypatch.setattr(build, "_KEPT", type(build._KEPT)())
    together = at_once(find)
    monkeypatch.setattr(build, "_KEPT", type(build._KEPT)())
    alone = find(0)
    assert together == [alone] * THREADS


def test_a_pickled_model_gives_the_same_probabilities(tmp_path):
    family = FAMILIES["gpt2 words"](tmp_path, 1)
    texts = ["a's a", "s a's"]
    lm = ByteLM(NGramModel.fit(family.tokenizer, texts, order=2), "all", beam=7)
    again = pickle.loads(pickle.dumps(lm))
    assert again.segmentation == "all"
    for text in ("", "a", "a's"):
        np.testing.assert_array_equal(again.next_logprobs(text), lm.next_logprobs(text))


def test_a_pickled_model_that_knows_nothing_still_does(tmp_path):
    family = FAMILIES["plain ab"](tmp_path, 1)
    again = pickle.loads(pickle.dumps(NGramModel(family.tokenizer)))
    np.testing.assert_allclose(np.exp(again.next_logprobs([[]])), 1 / again.vocab_size)
