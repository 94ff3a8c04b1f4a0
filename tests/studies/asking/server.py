"""A server on this machine that answers as told, or fails as told, and counts.

It knows a problem by the text of the last message, or of the prompt. Its `behaviour` is asked
what to do with each call, and says so by one of the functions below.
"""

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Call(NamedTuple):
    """One request: the `number`-th, from 1, about its problem."""

    at: float
    path: str
    headers: dict
    body: dict
    problem: str
    number: int


class FakeServer:
    """Runs while it is a context; `calls` are in the order of their arrival."""

    def __init__(self, behaviour=None, models=("small",)):
        self.behaviour = behaviour or (lambda call: answer(f"answer to {call.problem}"))
        self.models = models
        self.calls = []
        self.lock = threading.Lock()
        self.ending = threading.Event()
        handler = type("Handler", (_Handler,), {"fake": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.http.block_on_close = False
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        serve = self.http.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.http.shutdown()
        self.http.server_close()

    def counts(self):
        """How often each problem was asked."""
        with self.lock:
            return Counter(call.problem for call in self.calls)

    def wait_for(self, count):
        """Wait until there were so many calls."""
        deadline = time.monotonic() + 20
        while len(self.calls) < count:
            assert time.monotonic() < deadline, f"{len(self.calls)} calls after 20 seconds"
            time.sleep(0.002)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake = None

    def do_GET(self):
        listed = {"data": [{"id": name} for name in self.fake.models]}
        status(200, listed)(self)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        problem = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
        with self.fake.lock:
            number = 1 + sum(call.problem == problem for call in self.fake.calls)
            call = Call(time.time(), self.path, dict(self.headers), body, problem, number)
            self.fake.calls.append(call)
        try:
            self.fake.behaviour(call)(self)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_):
        pass


def send(handler, code, text, headers=()):
    data = text.encode()
    handler.send_response(code)
    for name, value in {"Content-Length": len(data), **dict(headers)}.items():
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(data)


def status(code, body=None, **headers):
    """Reply with a status; underscores in names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, str) else json.dumps(body or {"error": {"message": "no"}})
    return lambda handler: send(handler, code, text, named)


def content(text, *, prompt_tokens=7, completion_tokens=3, **fields):
    """The body of an answer, to a chat and to a prompt at once."""
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    choice = {"message": {"content": text}, "finish_reason": "stop", **fields}
    return {"choices": [choice], "usage": usage}


def answer(text, **fields):
    return status(200, content(text, **fields))


def slow(seconds, then):
    """Do something a little later."""

    def act(handler):
        handler.fake.ending.wait(seconds)
        then(handler)

    return act


def hang(handler):
    """Say nothing, for ever."""
    handler.close_connection = True
    handler.fake.ending.wait(30)


def hang_after_headers(handler):
    """Promise a body, and say nothing."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    hang(handler)


def drip(handler):
    """Send a byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.fake.ending.wait(0.05):
        handler.wfile.write(b" ")


def drop(handler):
    """Close the connection without a word."""
    handler.close_connection = True
