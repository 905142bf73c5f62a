"""Draw the icons that browsers and phones request, from `icon.svg`.

    python -m scripts.icons

Needs Chromium (`make tools`). favicon.ico has one PNG of 32 pixels; icon.png has 180, on white, for phones.
"""

import shutil
import struct
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

STATIC = Path(__file__).parents[1] / "meterai" / "pages" / "static"
SMALL, LARGE = 32, 180  # pixels
_MARGIN = 0.1  # pixels around the drawing of the large icon, whose corners phones round
_PAGE = (
    "<style>html,body{{margin:0;background:{ground}}}img{{display:block;box-sizing:border-box;width:100vw;"
    'height:100vh;padding:{padding}px;object-fit:contain}}</style><img src="data:image/svg+xml,{drawing}">'
)


def _png(page: Page, size: int, ground: str, padding: int) -> bytes:
    drawing = (STATIC / "icon.svg").read_text().replace("#", "%23").replace('"', "'")
    page.set_viewport_size({"width": size, "height": size})
    page.set_content(_PAGE.format(ground=ground, padding=padding, drawing=drawing))
    return page.screenshot(omit_background=ground == "transparent")


def _ico(png: bytes, size: int) -> bytes:
    """Return a directory of one picture with the picture (a PNG, which every browser accepts)."""
    head = struct.pack("<3H", 0, 1, 1)
    entry = struct.pack("<4B2H2I", size, size, 0, 0, 1, 32, len(png), len(head) + 16)
    return head + entry + png


def main() -> None:
    """Write both icons."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        (STATIC / "favicon.ico").write_bytes(_ico(_png(page, SMALL, "transparent", 0), SMALL))
        (STATIC / "icon.png").write_bytes(_png(page, LARGE, "#fff", round(LARGE * _MARGIN)))
        browser.close()


if __name__ == "__main__":
    main()
