"""Browser and system from the User-Agent header, by family only; pure.

The page of sessions shows both, so that a person can distinguish sessions.  Versions and models are not stored,
because they would identify a device (fingerprint).
"""

from typing import NamedTuple

USER_AGENT_LENGTH_MAX = 512  # characters that are read; browsers send about 200

# Substrings of a User-Agent, the more specific first: most browsers also contain the names of other browsers.
_BROWSERS = (
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("opt/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("ucbrowser", "UC Browser"),
    ("miuibrowser", "Mi Browser"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("chrome", "Chrome"),
    ("crios", "Chrome"),
    ("safari", "Safari"),
)
_SYSTEMS = (
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("cros", "ChromeOS"),
    ("mac os x", "Mac"),
    ("linux", "Linux"),
)


class Agent(NamedTuple):
    """Names of a browser and a system; empty if unknown."""

    browser: str = ""
    system: str = ""


UNKNOWN = Agent()


def agent_of(user_agent: str) -> Agent:
    """Return the browser and system of a User-Agent (RFC 9110, section 10.1.5).  The header is not verified."""
    text = user_agent[:USER_AGENT_LENGTH_MAX].lower()
    browser = next((name for sign, name in _BROWSERS if sign in text), "")
    system = next((name for sign, name in _SYSTEMS if sign in text), "")
    return Agent(browser, system)
