"""Mails as they are read: whole in both languages, as text and as HTML, leading to one page."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from meterai.accounts import CodeService
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.notifications import MailService
from meterai.notifications.model import Mail
from meterai.notifications.service import LEADS_TO
from meterai.plumbing.database import Database
from meterai.plumbing.mail import Mailer
from meterai.plumbing.messages import LANGUAGES

HOSTILE = "<b>surat</b>.pdf"
BOTH = {"id": "alasan", "en": "reason"}
FACTS: dict[str, dict[str, Any]] = {
    "order_executed_stamps": {"order": "ord_1", "quantity": 1, "total": "Rp10.000"},
    "order_executed_documents": {
        "order": "ord_1",
        "quantity": 2,
        "total": "Rp20.000",
        "named": {"id": f"{HOSTILE} dan 1 dokumen lain", "en": f"{HOSTILE} and 1 other document"},
        "list": f"{HOSTILE} (A)\nIjazah.pdf (B)",
        "count": 2,
        "until": BOTH,
    },
    "stamping_delivered": {
        "document": HOSTILE,
        "serials": "A",
        "stamping": "stg_1",
        "until": BOTH,
    },
    "stamping_failed": {"document": HOSTILE, "reason": BOTH},
    "refund_requested": {
        "order": "ord_1",
        "amount": "Rp10.000",
        "number": "RF1",
        "why": BOTH,
        "due": BOTH,
    },
    "refund_settled": {"order": "ord_1", "amount": "Rp10.000", "number": "RF1", "bank_number": "9"},
    "turn_near": {"line": "beli", "number": 7},
    "passkey_made": {"name": HOSTILE},
    "passkey_ended": {"name": HOSTILE},
    "api_key_made": {"name": HOSTILE},
    "api_key_ended": {"name": HOSTILE},
}


def written(template: str, language: str, facts: dict[str, Any]) -> EmailMessage:
    database = Database("postgresql://nobody@127.0.0.1:9/none", connections=1)
    settings = make_settings(public_url="https://meterai.example.id")
    codes = CodeService(database, b"k" * 32, settings, SystemClock())
    mails = MailService(
        database, Mailer("127.0.0.1", 9, "no-reply@example.id"), codes, settings.process.url
    )
    mail = Mail(new_id(), new_id(), template, language, "a@example.org", facts, 1, False)
    return message_from_bytes(mails._written(mail).raw, policy=policy.default)


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = (one.get_content() for one in message.iter_parts())
    return text, html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", LEADS_TO)
def test_a_mail_is_whole_and_leads_on(template: str, language: str) -> None:
    message = written(template, language, FACTS[template])
    text, html = parts(message)
    link = LEADS_TO[template].format_map(FACTS[template])
    assert "{" not in message["Subject"] + text
    assert text.count(link) == 1
    assert f'{link}"' in html
    assert HOSTILE not in html
    # It loads nothing, so that nobody learns when it is read.
    assert "src=" not in html
    assert "@import" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_order_is_told_by_the_names_of_its_documents(language: str) -> None:
    message = written("order_executed_documents", language, FACTS["order_executed_documents"])
    text, _ = parts(message)
    one = {"id": "dan 1 dokumen lain sudah", "en": "and 1 other document"}
    assert one[language] in message["Subject"]
    assert "Ijazah.pdf (B)" in text
    assert "ord_1" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["order_executed_documents", "refund_requested"])
def test_a_mail_that_the_version_before_queued_is_whole_too(template: str, language: str) -> None:
    known = ("order", "quantity", "total", "amount", "why", "due")
    facts = {name: value for name, value in FACTS[template].items() if name in known}
    message = written(template, language, facts)
    assert "{" not in message["Subject"] + parts(message)[0]


def test_a_long_text_is_read_as_it_was_written() -> None:
    text = "baris = “satu”\n.\n..\n di ujung \nFrom aku\n" + "x" * 300 + "\n--=_\n"
    subject = "Surat “penting” " * 20
    letter = Mailer("", 9, "Bea Meterai é <no-reply@example.id>").written(
        new_id(), "a@example.org", subject, text, f"<p>{text}</p>"
    )
    message = message_from_bytes(letter.raw, policy=policy.default)
    assert not message.defects
    assert parts(message) == (text, f"<p>{text}</p>")
    assert message["Subject"] == subject.strip()
    assert message["From"].addresses[0].display_name == "Bea Meterai é"
    # Every server takes it: RFC 5322, 2.1.1.
    assert max(map(len, letter.raw.splitlines())) <= 78


@pytest.mark.parametrize("recipient", ["a@example.org\nBcc: b@example.org", "a@example.org\r"])
def test_a_recipient_adds_no_header(recipient: str) -> None:
    mailer = Mailer("", 9, "no-reply@example.id")
    with pytest.raises(ValueError, match="one line"):
        mailer.written(new_id(), recipient, "subject", "text", "html")
