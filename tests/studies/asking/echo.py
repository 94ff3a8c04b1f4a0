"""A backend that says what it is asked, and a runner of it without patience."""

import threading
import time

from tests.studies.asking.questions import QUICK, prompt
from tokkit.studies.asking import Answer, AnswerCache, ask


class Echo:
    """Answers with the prompt, unless told to fail; remembers what it was asked."""

    model = "echo"

    def __init__(self, fail=None, *, batch_size=1, workers=3, keeps=True, seconds=0.0):
        self.fail = fail or (lambda text, number: None)
        self.batch_size, self.workers, self.keeps = batch_size, workers, keeps
        self.seconds = seconds
        self.asked = []
        self.together = []
        self._lock = threading.Lock()
        self._now = 0

    def answer(self, requests):
        with self._lock:
            self._now += 1
            self.together.append((self._now, len(requests)))
            self.asked += [request.prompt for request in requests]
        try:
            time.sleep(self.seconds)
            answers = [self._answer(request.prompt) for request in requests]
        finally:
            with self._lock:
                self._now -= 1
        return answers

    def _answer(self, text):
        failure = self.fail(text, self.asked.count(text))
        if isinstance(failure, BaseException):
            raise failure
        return failure or Answer(text=text, prompt_tokens=2, completion_tokens=1)


def prompts(texts):
    return [prompt(text) for text in texts]


def run(texts, backend, cache=None, **options):
    return ask(prompts(texts), backend, cache=cache or AnswerCache(), pace=QUICK, **options)


def texts_of(asked):
    return [answer and (answer.error or answer.text) for answer in asked.answers]
