"""Open every page of the built site in chromium, light and dark, wide and narrow.

    python tools/check_site.py [PAGE ...]

PAGE is a file in build/site/html, such as gallery/index.html; without any, all are opened. A page fails
if a file that it asks for is missing or comes from elsewhere, if it complains, if it is wider than the
window, or if axe finds a fault of WCAG 2 (A and AA), contrast for instance. The exit code is 1 if a
page fails.
"""

import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

HTML = Path(__file__).resolve().parents[1] / "build" / "site" / "html"
RULES = {"runOnly": ["wcag2a", "wcag2aa"]}
WIDE, NARROW = ({"width": width, "height": 900} for width in (1280, 400))
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve():
    """Serve the site on a free port, and return its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def faults_of(page, address, name):
    """Return what is wrong with one page, a line each."""
    faults = []

    def asked(request):
        if not request.url.startswith((address, "data:")):
            faults.append(f"asks for {request.url}")

    def answered(response):
        if response.status >= 400:
            faults.append(f"{response.status}: {response.url}")

    def said(message):
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            faults.append(message.text)

    page.on("request", asked)
    page.on("response", answered)
    page.on("console", said)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address + name)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for violation in Axe().run(page, options=RULES).response["violations"]:
            faults.append(f"{scheme}: {violation['help']}: {violation['nodes'][0]['html']}")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        if (pixels := page.evaluate(TOO_WIDE)) > 0:
            faults.append(f"{pixels} pixels wider than a window of {size['width']} pixels")
    return faults


def main(names):
    if not (HTML / "index.html").exists():
        sys.exit(f"check_site: expected the site in {HTML}, found none; run make docs first")
    names = names or sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html"))
    address, failed = serve(), 0
    with sync_playwright() as playwright:
        # Containers have no user namespaces for the sandbox.
        browser = playwright.chromium.launch(
            executable_path=shutil.which(os.environ.get("CHROMIUM", "chromium")), args=["--no-sandbox"]
        )
        for name in names:
            page = browser.new_page(viewport=WIDE)
            faults = faults_of(page, address, name)
            page.close()
            failed += bool(faults)
            for fault in faults:
                print(f"{name}: {fault}")
        browser.close()
    print(f"{len(names)} pages, {failed} with faults")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
