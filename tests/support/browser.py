"""The browser of tests.

The headless shell of Chromium is used if it is installed, since it takes two fifths of the processor time of
full Chromium.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    # A test picture replaces the camera, and no permission is asked for.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # Chromium contacts servers of its vendor; these switches stop that.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Modes in which pages are tested: with scripts in every run, without scripts in `make test-all` only.
WITH_SCRIPTS = [
    pytest.param(True, id="with scripts"),
    pytest.param(False, id="without scripts", marks=pytest.mark.variant),
]
WAIT_MS = 60_000  # sufficient on a machine three times slower than a busy one
expect.set_options(timeout=WAIT_MS)


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """A browser for one block of a test. No other event loop runs in this thread meanwhile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*ARGUMENTS, *arguments],
            # The path of a Unix socket is limited to 108 bytes.
            env={**os.environ, "TMPDIR": "/tmp"},
        )
        yield browser
        browser.close()
