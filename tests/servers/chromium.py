"""A real browser for tests of pages: Debian's Chromium, driven by Playwright."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def find_chromium(names: tuple[str, ...] = NAMES) -> Path:
    """Return the browser.

    Raises:
        RuntimeError: It is not installed.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        msg = "Chromium is missing; run `make test-servers` as root, or: apt-get install chromium"
        raise RuntimeError(msg)
    return Path(found)


def install_chromium(names: tuple[str, ...] = NAMES, *, is_root: bool | None = None) -> Path:
    """Return the browser; install Debian's when root and it is missing.

    Raises:
        RuntimeError: It is missing and this is not root, or not Debian.
    """
    is_root = os.geteuid() == 0 if is_root is None else is_root
    if not any(map(shutil.which, names)) and is_root and shutil.which("apt-get"):
        for command in (
            ["apt-get", "update", "-q"],
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"],
        ):
            env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(command, check=True, env=env)
    return find_chromium(names)


@contextmanager
def chromium_running() -> Iterator["Browser"]:
    """Run a headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page in a window of its own.

    Attributes:
        page: As Playwright has it.
        faults: What its console said, what its scripts threw, and what it tried to fetch.
    """

    def __init__(self, browser: "Browser", path: Path, *, width: int = 1280, scheme: str = "light"):
        self.faults: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._note)
        self._url = path.as_uri()
        self.page.goto(self._url)

    def _note(self, request: "Request") -> None:
        if request.url != self._url and not request.url.startswith(("data:", "blob:")):
            self.faults.append(f"fetched {request.url}")

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()
