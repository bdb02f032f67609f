"""A real browser over the pages we write: what it shows, and what its console says."""

import re
import shutil
import subprocess

import pytest

_CONSOLE = re.compile(r"CONSOLE[^\n]*")
_NOISE = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def open_page(path, profile):
    """Open a page in headless Chromium; skip the test where there is none.

    Returns:
        The document once its scripts have run, and what they wrote to the console.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    done = subprocess.run(
        [
            *(chromium, "--headless", *_NOISE, f"--user-data-dir={profile}"),
            *("--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom"),
            path.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=240,
    )
    return done.stdout, _CONSOLE.findall(done.stderr)
