"""Browser and system of a User-Agent."""

import pytest

from meterai.accounts.agents import Agent, agent_of

_KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("said", "browser", "system"),
    [
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {_KHTML} Chrome/124.0.0.0 Mobile Safari/537.36",
            "Chrome",
            "Android",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 13; SM-A045F) {_KHTML} SamsungBrowser/24.0 Chrome/117.0.0.0"
            " Mobile Safari/537.36",
            "Samsung Internet",
            "Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
            " Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
            "Safari",
            "iPhone",
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KHTML} Chrome/124.0.0.0 Safari/537.36"
            " Edg/124.0.0.0",
            "Edge",
            "Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
            "Firefox",
            "Linux",
        ),
        ("curl/8.5.0", "", ""),
        ("", "", ""),
    ],
)
def test_user_agent_gives_browser_and_system(said: str, browser: str, system: str) -> None:
    assert agent_of(said) == Agent(browser, system)
