"""Headless Chromium, driven through its DevTools protocol over two pipes: no other library."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLAYWRIGHT = sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
CHROMIUM = next(filter(None, [*map(shutil.which, _NAMES), *map(str, _PLAYWRIGHT)]), None)
_FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
--disable-background-networking --disable-component-update --disable-dev-shm-usage
--remote-debugging-pipe
"""
_SECONDS = 60


class Tab:
    """One page, and everything it says and loads."""

    def __init__(self, commands, replies):
        self._commands, self._replies = commands, replies
        self._number, self._session = 0, None
        self.events = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        """Call a method of the protocol, and wait for its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._next()).get("id") != self._number:
            self.events.append(reply)
        assert "error" not in reply, f"{method}: {reply['error']}"
        return reply["result"]

    def _next(self):
        return json.loads(self._replies.read_message())

    def open(self, path):
        """Open a file, and wait until its scripts have run."""
        self.send("Page.navigate", url=path.as_uri())
        self.wait(f"location.href === {json.dumps(path.as_uri())}")
        self.wait("document.readyState === 'complete'")

    def wait(self, condition):
        """Wait until an expression is true."""
        end = time.monotonic() + _SECONDS
        while not self.run(condition):
            assert time.monotonic() < end, f"never true: {condition}"
            time.sleep(0.02)

    def run(self, expression):
        """Return the value of a JavaScript expression."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key, code=0):
        """Press a key and let it go."""
        for kind in ("keyDown", "keyUp"):
            typed = {"Enter": "\r", " ": " "}.get(key)
            extra = {"text": typed} if typed and kind == "keyDown" else {}
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **extra,
            )

    def look(self, width, height=900, *, scheme="light", media="", motion="no-preference"):
        """Make the window so wide, and prefer light or dark."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)

    def photograph(self, path):
        """Write what can be seen as PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def complaints(self):
        """Return what the console and the security policy said."""
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [event for event in self.events if event["method"] in kinds]

    def loaded(self):
        """Return the addresses of everything that was asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]


class _Replies:
    """Messages that end in a NUL, from a pipe."""

    def __init__(self, descriptor):
        self._descriptor, self._rest = descriptor, b""

    def read_message(self):
        while b"\0" not in self._rest:
            part = os.read(self._descriptor, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        return message


@contextmanager
def browser(folder):
    """Start Chromium with a new profile in a folder; give one tab."""
    asked, commands = os.pipe()
    answers, said = os.pipe()
    asked, said = _move(asked), _move(said)
    # The protocol is spoken over descriptors 3 and 4.
    shell = f'exec "$@" 3<&{asked} 4>&{said}'
    arguments = [CHROMIUM, *_FLAGS.split(), f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        ["bash", "-c", shell, "bash", *arguments],
        pass_fds=(asked, said),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(asked)
    os.close(said)
    try:
        tab = Tab(commands, _Replies(answers))
        yield tab
        tab.send("Page.close")
    finally:
        process.kill()
        process.wait()
        os.close(commands)
        os.close(answers)


def _move(descriptor):
    """Return the same pipe under a number above those that the protocol needs."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10)
    os.close(descriptor)
    return moved
