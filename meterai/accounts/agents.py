"""Which browser somebody came with, and on which system, as coarsely as people say it; pure.

Kept to tell sessions of one account apart.  No version and no model: that would be a fingerprint.
"""

from typing import NamedTuple

USER_AGENT_LENGTH_MAX = 512  # characters that are looked at; those of browsers have some 200

# What stands in a User-Agent, the more special first: most browsers say that they are others too.
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
    """A browser and a system by their names, empty where they are not known."""

    browser: str = ""
    system: str = ""


UNKNOWN = Agent()


def agent_of(user_agent: str) -> Agent:
    """What a User-Agent says (RFC 9110, section 10.1.5).  A browser may say anything: it proves nothing."""
    text = user_agent[:USER_AGENT_LENGTH_MAX].lower()
    browser = next((name for sign, name in _BROWSERS if sign in text), "")
    system = next((name for sign, name in _SYSTEMS if sign in text), "")
    return Agent(browser, system)
