#!/usr/bin/env python3
"""Opens reports of `fmicl report` in a headless Chromium: check_report.py REPORT.html... [--shots FOLDER]

Fails where the page logs an error, asks for any address, is wider than the screen, has a figure without marks, shows no value under the
pointer or at the arrow keys, or keeps the keyboard. Looked at: 1280 and 390 pixels, light and dark. CHROMIUM names the browser; where there
is none the check is skipped and says so. Nothing but Python is needed: the browser is led through a pipe (Chrome DevTools Protocol).
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome"]
SIZES = [(1280, 900), (390, 844)]
SCHEMES = ["light", "dark"]
SECONDS = 60


class Browser:
    def __init__(self, program, folder):
        there, mine = os.pipe(), os.pipe()

        def ends():
            os.dup2(there[0], 3)
            os.dup2(mine[1], 4)

        # Free of 3 and 4, which the browser's ends become.
        fds = [os.dup(fd) if fd in (3, 4) else fd for fd in (*there, *mine)]
        there, mine = fds[:2], fds[2:]
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run", "--hide-scrollbars"]
        command = [program, *flags, "--disable-background-networking", f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, close_fds=False, preexec_fn=ends, stdin=quiet, stdout=quiet, stderr=quiet)
        os.close(there[0])
        os.close(mine[1])
        self.write, self.read = there[1], mine[0]
        self.rest, self.count, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def message(self):
        while b"\0" not in self.rest:
            if not (more := os.read(self.read, 1 << 16)):
                sys.exit("check_report: the browser has ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if hasattr(self, "session"):
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while (answer := self.message()).get("id") != self.count:
            self.events.append(answer)
        if "error" in answer:
            sys.exit(f"check_report: {method}: {answer['error']['message']}")
        return answer["result"]

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            sys.exit(f"check_report: {expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def settle(self):
        """Lets what was scrolled or drawn come to its end."""
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))))")

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def key(self, key, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


def wait_for(holds, what):
    end = time.time() + SECONDS
    while not holds():
        if time.time() > end:
            sys.exit(f"check_report: {what}")
        time.sleep(0.05)


TIP = "(() => { const tip = document.getElementById('tip'); return tip.hidden ? '' : tip.textContent; })()"
# The place of an element, in the middle of the window.
PLACE = """(() => {{ const node = document.querySelectorAll({0})[{1}]; node.scrollIntoView({{block: 'center', behavior: 'instant'}});
  const box = node.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; }})()"""
# Maps that show nothing, figures without marks.
BLANK = """[...document.querySelectorAll('.map canvas[role=img]')].filter((it) => it.width === 0 || !it.getContext('2d')
  .getImageData(0, 0, it.width, it.height).data.some((value) => value)).length"""
BARE = """[...document.querySelectorAll('[data-chart]')].filter((it) => !it.querySelector('svg[role=img] .series path, svg[role=img] .series circle'))
  .map((it) => it.getAttribute('aria-label'))"""


def check(browser, report, shots):
    faults, address = [], report.resolve().as_uri()
    for method in ("Page.enable", "Runtime.enable", "Log.enable", "Network.enable"):
        browser.call(method)
    for (width, height), scheme in ((size, scheme) for size in SIZES for scheme in SCHEMES):
        at = f"{report.name} at {width} pixels, {scheme}"
        browser.events.clear()
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.call("Page.navigate", url=address)
        wait_for(lambda: browser.value("document.readyState") == "complete", f"{at}: was not loaded in {SECONDS} s")
        browser.settle()
        if bare := browser.value(BARE):
            faults.append(f"{at}: figures without marks: {bare}")
        if blank := browser.value(BLANK):
            faults.append(f"{at}: {blank} maps show nothing")
        if (wide := browser.value("document.documentElement.scrollWidth")) > width:
            faults.append(f"{at}: is {wide} pixels wide")
        for number in range(browser.value("document.querySelectorAll('[data-chart]').length")):
            x, y, wide, high = browser.value(PLACE.format("'[data-chart] svg[role=img]'", number))
            browser.settle()
            browser.move(x + wide * 0.6, y + high * 0.5)
            shown = browser.value(TIP)
            if not any(letter.isdigit() for letter in shown):
                faults.append(f"{at}: chart {number} shows no value, but {shown!r}")
        for number in range(browser.value("document.querySelectorAll('[data-map]').length")):
            x, y, wide, high = browser.value(PLACE.format("'[data-map] canvas[role=img]'", number))
            browser.settle()
            tries = ((x + wide * (column + 0.5) / 12, y + high * (row + 0.5) / 12) for row in range(12) for column in range(12))
            for place in tries:
                browser.move(*place)
                if "sample" in browser.value(TIP):
                    break
            else:
                faults.append(f"{at}: map {number} shows no sample")
        browser.move(1, 1)
        if browser.value("document.querySelectorAll('[data-chart]').length"):
            browser.value(PLACE.format("'[data-chart]'", 0))
            browser.value("document.querySelector('[data-chart]').focus({preventScroll: true})")
            browser.settle()
            browser.key("ArrowRight", 39)
            if not browser.value(TIP):
                faults.append(f"{at}: the arrow keys show no value")
            browser.key("Escape", 27)
        seen = set()
        for _ in range(6):
            browser.key("Tab", 9)
            seen.add(browser.value("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        if len(seen) < 3:
            faults.append(f"{at}: the keyboard is kept")
        for event in browser.events:
            method, params = event.get("method"), event.get("params", {})
            url = params.get("request", {}).get("url", "")
            if method == "Network.requestWillBeSent" and url != address and not url.startswith("data:"):
                faults.append(f"{at}: asks for {url}")
            if method == "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                faults.append(f"{at}: {details.get('exception', {}).get('description', details['text'])}")
            if method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                faults.append(f"{at}: {params['entry']['text']}")
            if method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                faults.append(f"{at}: {params['args']}")
        if shots:
            browser.value("document.activeElement.blur(); scrollTo({top: 0, behavior: 'instant'})")
            browser.settle()
            shot = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            (shots / f"{report.stem}-{width}-{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
    return faults


def main():
    args, shots = sys.argv[1:], None
    if "--shots" in args:
        place = args.index("--shots")
        shots = Path(args[place + 1])
        shots.mkdir(parents=True, exist_ok=True)
        del args[place : place + 2]
    if not args:
        sys.exit(__doc__)
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        print("check_report: skipped, since there is no chromium")
        return
    faults = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            for report in map(Path, args):
                faults += check(browser, report, shots)
        finally:
            browser.process.terminate()
            browser.process.wait()
    if faults:
        sys.exit("\n".join(f"check_report: {fault}" for fault in faults))
    print(f"check_report: {len(args)} reports are as they should be, at {len(SIZES)} sizes, light and dark")


if __name__ == "__main__":
    main()
