"""Short requests, and asking them without patience."""

from tokkit.studies.asking import AnswerCache, Decoding, Message, Pace, Request, ask

QUICK = Pace(first_wait=0.01, longest_wait=0.05)


def prompt(text, **decoding):
    return Request(key=text, prompt=text, decoding=Decoding(**decoding))


def chat(*texts, **decoding):
    messages = tuple(Message("user", text) for text in texts)
    return Request(key=texts[-1], messages=messages, decoding=Decoding(**decoding))


def ask_all(backend, texts, pace=QUICK, make=chat):
    with AnswerCache() as cache:
        return ask([make(text) for text in texts], backend, cache=cache, pace=pace)
