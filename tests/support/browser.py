"""The browser of tests: the headless shell of Chromium where it is installed, for two fifths of the processor
time that Chromium takes, and Chromium otherwise."""

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
    # Its camera films a test picture, and nobody is asked for it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # A browser makes calls home; these switch them off.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The ways to go through a page: with scripts always, without them in `make test-all`.
WITH_SCRIPTS = [
    pytest.param(True, id="with scripts"),
    pytest.param(False, id="without scripts", marks=pytest.mark.variant),
]
WAIT_MS = 60_000  # of a machine three times slower than one that is busy
expect.set_options(timeout=WAIT_MS)


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """A browser of its own.  Meanwhile no other event loop runs in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*ARGUMENTS, *arguments],
            env={**os.environ, "TMPDIR": "/tmp"},  # the path of its socket has 108 bytes
        )
        yield browser
        browser.close()
