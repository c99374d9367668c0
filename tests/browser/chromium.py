"""Chromium without a window, driven over its DevTools protocol, as far as a person uses a page."""

import base64
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import websocket

Json = dict[str, Any]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
LISTENING = re.compile(r"DevTools listening on (ws://\S+)")
# Seconds for an answer of Chromium's own; more than any wait, so that a wait says what it waited for.
ANSWER = 120


class BrowserError(Exception):
    """The page or the browser did not do what was asked."""


def found_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. Waits are the page's own events: a promise that a MutationObserver settles."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=ANSWER, suppress_origin=True)
        self._numbers = itertools.count(1)
        self.problems: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        self._socket.close()

    def ask(self, method: str, **parameters: Any) -> Json:
        """One command and its answer; what the page complains of meanwhile is kept in `problems`."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := self._heard(method)).get("id") != number:
            self._note(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: Json = answer["result"]
        return result

    def _heard(self, method: str) -> Json:
        try:
            heard: Json = json.loads(self._socket.recv())
        except websocket.WebSocketTimeoutException:
            raise BrowserError(f"{method}: Chromium has said nothing for {ANSWER} s") from None
        return heard

    def _note(self, event: Json) -> None:
        if event.get("method") == "Runtime.exceptionThrown":
            details = event["params"]["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.problems.append(event["params"]["entry"]["text"])

    def open(self, url: str) -> None:
        self.problems.clear()
        self.ask("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'", "the page to load")

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        scale = 2 if phone else 1
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )

    def colours(self, scheme: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[feature])

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        answer = self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait_for(self, condition: str, what: str, seconds: float = 10) -> Any:
        """Looks again at every change of the document; the deadline is the page's timer."""
        expression = f"""new Promise((resolve) => {{
            const observer = new MutationObserver(() => look());
            const end = (value) => {{ observer.disconnect(); clearTimeout(timer); resolve(value); }};
            const look = () => {{ const found = ({condition}); if (found) end(String(found)); }};
            const timer = setTimeout(() => end(null), {seconds * 1000});
            const all = {{ subtree: true, childList: true, attributes: true, characterData: true }};
            observer.observe(document, all);
            document.addEventListener("readystatechange", look);
            look();
        }})"""
        found = self._evaluate_across_loads(expression)
        if found is None:
            raise BrowserError(
                f"waited {seconds} s for {what}; the page says:\n{self.text()}\n{self.problems}"
            )
        return found

    def _evaluate_across_loads(self, expression: str) -> Any:
        """A navigation ends the promise that waited for it; then it is asked again in the new document."""
        for _ in range(5):
            try:
                return self.evaluate(expression)
            except BrowserError as cause:
                if "navigat" not in str(cause) and "context" not in str(cause):
                    raise
        return None

    def text(self) -> str:
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def click(self, selector: str) -> None:
        """A real mouse click in the middle of the element."""
        self.wait_for(f"document.querySelector({json.dumps(selector)})", f"{selector} to click")
        box = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'nearest'}); const r = e.getBoundingClientRect();"
            " return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **box)

    def type(self, text: str) -> None:
        self.ask("Input.insertText", text=text)

    def press_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, **key)

    def screenshot(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(picture["data"]))
        return path

    def element(self, expression: str) -> bytes:
        """A picture of one element alone, however tall it is."""
        box = self.evaluate(
            f"(() => {{ const e = {expression}; e.scrollIntoView({{block: 'start'}});"
            " const r = e.getBoundingClientRect();"
            " return {x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height}; })()"
        )
        picture = self.ask(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={**box, "scale": 1}
        )
        return base64.b64decode(picture["data"])


@contextmanager
def chromium_page() -> Iterator[Page]:
    """A fresh browser with a profile of its own, ended with the block."""
    program = found_chromium()
    if program is None:
        raise BrowserError(f"none of {', '.join(NAMES)} is installed: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        try:
            page = Page(_tab_address(_browser_address(browser)))
            yield page
            page.close()
        finally:
            _end(browser)


def _browser_address(browser: "subprocess.Popen[str]") -> str:
    assert browser.stderr is not None
    said = []
    for line in browser.stderr:
        said.append(line)
        if found := LISTENING.search(line):
            return found[1]
    raise BrowserError(f"chromium ended before it listened:\n{''.join(said)}")


def _tab_address(browser_address: str) -> str:
    """Opens a tab over the browser's own connection."""
    socket = websocket.create_connection(browser_address, timeout=30, suppress_origin=True)
    socket.send(json.dumps({"id": 1, "method": "Target.createTarget", "params": {"url": "about:blank"}}))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = json.loads(socket.recv())
        if answer.get("id") == 1:
            break
    socket.close()
    root = browser_address.split("/devtools/")[0]
    return f"{root}/devtools/page/{answer['result']['targetId']}"


def _end(browser: "subprocess.Popen[str]") -> None:
    browser.terminate()
    with suppress(subprocess.TimeoutExpired):
        browser.wait(10)
    if browser.poll() is None:
        browser.kill()
        browser.wait(10)
    if browser.stderr:
        browser.stderr.close()
