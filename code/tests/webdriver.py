"""A real Chromium without a window, driven by chromedriver over plain HTTP (W3C WebDriver)."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--mute-audio", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's own name of a reference
_PATIENCE_SECONDS = 60  # for what happens within one on any machine: only a fault waits so long
_POLL_SECONDS = 0.02
KEYS = {"space": " ", "tab": "\ue004", "enter": "\ue007", "right": "\ue014", "left": "\ue012",
        "end": "\ue010", "home": "\ue011", "page up": "\ue00e"}  # fmt: skip


class Browser:
    """One window. ``downloads`` is where the page's downloads go."""

    def __init__(self, address: str, downloads: Path):
        self._address = address
        self.downloads = downloads

    def call(self, method: str, path: str, **body: object) -> Any:
        """Send one command of the protocol and return its value."""
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(
            self._address + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from error

    def open(self, address: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self.call("POST", "/url", url=address)

    def run(self, script: str, *arguments: object) -> Any:
        """Run JavaScript in the page; ``return`` gives the value."""
        return self.call("POST", "/execute/sync", script=script, args=list(arguments))

    def run_async(self, script: str, *arguments: object) -> Any:
        """Run an asynchronous function's body in the page and wait for what it returns."""
        wrapped = (
            "const given = [...arguments]; const done = given.pop();"
            f"(async (...args) => {{ {script} }})(...given)"
            ".then((value) => done([value]), (error) => done({told: String(error)}));"
        )
        value = self.call("POST", "/execute/async", script=wrapped, args=list(arguments))
        assert isinstance(value, list), value["told"]
        return value[0]

    def press(self, *keys: str) -> None:
        """Press and release keys one after another, wherever the focus is."""
        events = [
            {"type": kind, "value": KEYS.get(key, key)}
            for key in keys
            for kind in ("keyDown", "keyUp")
        ]
        source = {"type": "key", "id": "keyboard", "actions": events}
        self.call("POST", "/actions", actions=[source])

    def click(self, selector: str) -> None:
        """Click the first element of a CSS selector, as a pointer would."""
        found = self.call("POST", "/element", using="css selector", value=selector)
        self.call("POST", f"/element/{found[_ELEMENT]}/click")

    def wait(self, script: str, *arguments: object) -> Any:
        """Wait until a JavaScript expression is true, and return it."""
        return wait_for(lambda: self.run(f"return {script}", *arguments), script)

    def devtools(self, command: str, **parameters: object) -> Any:
        """Send a command of the DevTools protocol."""
        return self.call("POST", "/goog/cdp/execute", cmd=command, params=parameters)

    def complaints(self) -> list[str]:
        """What the console said since the last call, warnings and worse."""
        return [entry["message"] for entry in self.call("POST", "/se/log", type="browser")
                if entry["level"] in {"WARNING", "SEVERE"}]  # fmt: skip

    def downloaded(self, ending: str) -> Path:
        """Wait for the one finished download with this ending."""
        return wait_for(lambda: next(iter(self.downloads.glob(f"*{ending}")), None), ending)

    def picture(self, path: Path) -> None:
        """Save the whole page as PNG."""
        taken = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Ask again and again until the condition holds; fail where it never does."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, f"never came true: {what}"
        time.sleep(_POLL_SECONDS)
    return value


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start a browser with an empty profile in ``folder``.

    Without Chromium the test is skipped, and under ``CI=true``, which installs it, fails.
    """
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        lacking = "Chromium" if not program else "chromedriver"
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing(f"{lacking} is not installed (Debian: apt install chromium chromium-driver)")
    log = folder / "chromedriver.log"
    with log.open("w") as output:
        process = subprocess.Popen([driver, "--port=0"], stdout=output, stderr=subprocess.STDOUT)
    try:
        port = wait_for(lambda: _port(log), "chromedriver to start")
        yield from _session(f"http://127.0.0.1:{port}", program, folder)
    finally:
        process.terminate()
        process.wait()


def _port(log: Path) -> str | None:
    _, found, rest = log.read_text().partition("started successfully on port ")
    return rest.split(".")[0] if found and "." in rest else None


def _session(server: str, program: str, folder: Path) -> Iterator[Browser]:
    downloads = folder / "downloads"
    downloads.mkdir()
    options = {
        "binary": program,
        "args": [*_FLAGS, f"--user-data-dir={folder / 'profile'}"],
        "prefs": {
            "download.default_directory": str(downloads),
            "profile.default_content_setting_values.automatic_downloads": 1,  # two at once
        },
    }
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
              "timeouts": {"script": 240_000}}  # fmt: skip
    started = Browser(f"{server}", downloads).call(
        "POST", "/session", capabilities={"alwaysMatch": wanted}
    )
    browser = Browser(f"{server}/session/{started['sessionId']}", downloads)
    try:
        yield browser
    finally:
        browser.call("DELETE", "")
