"""Forms of collectors that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form

FORMS = (
    form("/collector/draws", key="0" * 32, quantity="1"),
    form("/collector/deposits", ntpn="0" * 16),
    form("/collector/deposits/withdraw", ntpn="0" * 16),
    form("/collector/months/{month:str}/return", "2026-01", receipt="1", reported_on="2026-02-01"),
    form("/collector/months/{month:str}/unstamped", "2026-01", type="4a"),
)
