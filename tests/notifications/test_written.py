"""Written mails: complete in both languages, as text and HTML, with a link to one page."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from meterai.accounts import AccountService, CodeService, OrganizationService
from meterai.accounts.model import Credential
from meterai.apps.rooms import offers_of
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.notifications import MailService
from meterai.notifications.adapters.smtp import Mailer
from meterai.notifications.model import Mail
from meterai.notifications.service import RECEIPTS
from meterai.plumbing.db.database import Database
from meterai.plumbing.messages import LANGUAGES

LEADS_TO = offers_of().mails
KEY, ACCOUNT, INVITATION = b"k" * 32, new_id(), new_id()
HOSTILE = "<b>surat</b>.pdf"
BOTH = {"id": "alasan", "en": "reason"}
SALE: dict[str, Any] = {
    "at": {"id": "24 Nov 2026 15.04 WIB", "en": "24 Nov 2026 15:04 WIB"},
    "price": "Rp10.000",
    "duty": "Rp10.000",
    "fee": "Rp0",
    "bank_numbers": "623400000017, 623400000018",
    "sold_by": HOSTILE,
    "seller_fee": {"id": f"Biaya {HOSTILE}: Rp1.500", "en": f"Fee of {HOSTILE}: Rp1.500"},
}
COLLECTORS: dict[str, Any] = {
    "name": HOSTILE,
    "month": "2026-11",
    "rupiah": "Rp20.000",
    "deposit_code": "411611-100",
    "deposit_by": "2026-12-15",
    "report_by": "2026-12-20",
}
FACTS: dict[str, dict[str, Any]] = {
    "order_executed_stamps": {"order": "ord_1", "quantity": 1, "total": "Rp10.000"} | SALE,
    "order_executed_documents": {
        "order": "ord_1",
        "quantity": 2,
        "total": "Rp20.000",
        "named": {"id": f"{HOSTILE} dan 1 dokumen lain", "en": f"{HOSTILE} and 1 other document"},
        "list": f"{HOSTILE} (A)\nIjazah.pdf (B)",
        "count": 2,
        "until": BOTH,
    }
    | SALE,
    "order_executed_deposit": {"order": "ord_1", "quantity": 50, "total": "Rp500.000"} | SALE,
    "sale_offered": {"order": "ord_1", "seller": HOSTILE, "quantity": 2, "total": "Rp20.000"},
    "deposit_low": {
        "name": HOSTILE,
        "balance": "Rp0",
        "sales": 2,
        "rupiah": "Rp20.000",
        "path": "/orders/ord_1",
    },
    "reselling_invited": {"name": HOSTILE, "shop": HOSTILE, "day": "Rp50.000", "fee": "Rp500"},
    "reselling_ended": {"name": HOSTILE, "shop": HOSTILE},
    "collector_deposit": COLLECTORS,
    "collector_report": COLLECTORS,
    "webhook_disabled": {"webhook": "whk_1", "receiver": "https://example.org/a", "why": BOTH},
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
        "how": BOTH,
    },
    "case_received": {"case": "cas_1", "matter": BOTH, "due": BOTH},
    "case_answered_from_facts": {"case": "cas_1", "matter": BOTH, "answer": BOTH},
    "case_answered": {"case": "cas_1", "matter": BOTH, "words": HOSTILE, "until": BOTH},
    "case_asked": {"case": "cas_1", "matter": BOTH, "words": HOSTILE, "until": BOTH},
    "case_closed": {"case": "cas_1", "matter": BOTH, "words": HOSTILE, "outcome": BOTH},
    "refund_settled": {
        "order": "ord_1",
        "amount": "Rp10.000",
        "number": "RF1",
        "bank_number": "9",
        "payment": "623400000017",
        "at": BOTH,
        "where": BOTH,
        "late": "Rp2.000",
    },
    "account_wanted": {
        "amount": "Rp10.000",
        "because": BOTH,
        "until": BOTH,
        "path": "/claims?claim=A",
    },
    "account_named": {"amount": "Rp10.000", "bank": "BCA", "last": "7890"},
    "account_held": {"amount": "Rp10.000", "bank": "BCA", "last": "7890"},
    "account_declined": {"bank": "BCA", "last": "7890"},
    "payment_taken_back": {"amount": "Rp10.000", "order": "ord_1"},
    "turn_near": {"line": "beli", "number": 7},
    "passkey_made": {"name": HOSTILE},
    "passkey_ended": {"name": HOSTILE},
    "api_key_made": {"name": HOSTILE},
    "api_key_ended": {"name": HOSTILE},
    "api_key_ends": {"name": HOSTILE, "until": BOTH},
    "invitation_made": {
        "name": HOSTILE,
        "role": BOTH,
        "until": BOTH,
        "account": str(ACCOUNT),
        "invitation": str(INVITATION),
        "path": f"/invitations?invitation={Credential.for_invitation(KEY, ACCOUNT, INVITATION).text()}",
    },
    "organization_approved": {"name": HOSTILE},
    "organization_declined": {"name": HOSTILE},
    "incident_subscribe": {"path": "/status/subscription/sub_1/a"},
    "incident_told": {
        "incident": "inc_1",
        "title": {"id": HOSTILE, "en": HOSTILE},
        "state_now": BOTH,
        "words": {"id": HOSTILE, "en": HOSTILE},
        "unsubscribe": "/status/subscription/sub_1/a",
    },
    "copy_made": {"at": BOTH},
    "erasure_asked": {"acts_at": BOTH, "waits": BOTH},
    "erasure_withdrawn": {},
    "account_erased": {"kept": BOTH},
    "breach_told": {
        "breach": "brc_1",
        "known": BOTH,
        "exposed": {"id": HOSTILE, "en": HOSTILE},
        "happened": BOTH,
        "handling": BOTH,
    },
}


def written(template: str, language: str, facts: dict[str, Any], **values: object) -> EmailMessage:
    database = Database("postgresql://nobody@127.0.0.1:9/none", connections=1)
    settings = make_settings(public_url="https://meterai.example.id", **values)
    given = database, KEY, settings, SystemClock()
    links = CodeService(*given), OrganizationService(*given, AccountService(*given))
    mails = MailService(
        database, Mailer("127.0.0.1", 9, "no-reply@example.id"), links, settings, LEADS_TO
    )
    mail = Mail(new_id(), new_id(), template, language, "a@example.org", facts, 1, False)
    return message_from_bytes(mails._written(mail).raw, policy=policy.default)


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = (one.get_content() for one in message.iter_parts())
    return text, html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", [one for one, path in LEADS_TO.items() if path])
def test_mail_is_complete_and_links_to_its_page(template: str, language: str) -> None:
    message = written(template, language, FACTS[template])
    text, html = parts(message)
    link = LEADS_TO[template].format_map(FACTS[template])
    assert "{" not in message["Subject"] + text
    assert text.count(link) == 1
    assert f'{link}"' in html
    assert HOSTILE not in html
    # It loads nothing, so that reading is not tracked.
    assert "src=" not in html
    assert "@import" not in html


def test_subscribed_mail_has_one_click_unsubscription() -> None:
    message = written("incident_told", "en", FACTS["incident_told"])
    ends = "https://meterai.example.id/status/subscription/sub_1/a"
    assert message["List-Unsubscribe"] == f"<{ends}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert ends in parts(message)[0]
    assert written("turn_near", "en", FACTS["turn_near"])["List-Unsubscribe"] is None


ALL = {**FACTS, "sign_in_code": {"challenge": str(UUID(int=5))}}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ALL)
def test_mail_names_its_sender(template: str, language: str) -> None:
    message = written(
        template,
        language,
        ALL[template],
        environment="production",
        operator_name="PT Contoh & Anak",
        operator_address="Jalan Contoh 1, Jakarta",
        operator_mail="tanya@contoh.id",
        operator_phone="021 555 0100",
        operator_tax_number="0012345678901000",
    )
    text, html = parts(message)
    foot = text.partition("\n-- \n")[2]
    assert foot.startswith(
        "PT Contoh & Anak, Jalan Contoh 1, Jakarta\ntanya@contoh.id, 021 555 0100\n"
    )
    for paper in ("terms", "privacy"):
        assert f"https://meterai.example.id/{paper}" in foot
        assert f"https://meterai.example.id/{paper}" in html
    assert "PT Contoh &amp; Anak, Jalan Contoh 1, Jakarta</p>" in html
    assert "SPECIMEN" not in message["Subject"] + text + html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ALL)
def test_mail_outside_production_begins_with_specimen(template: str, language: str) -> None:
    message = written(template, language, ALL[template])
    text, html = parts(message)
    assert message["Subject"].startswith("SPECIMEN: ")
    assert text.startswith("SPECIMEN: ")
    assert re.search(r"<p [^>]*>SPECIMEN: ", html)
    assert "\n-- \nPT SPECIMEN, " in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", RECEIPTS)
def test_receipt_mail_names_seller_time_and_bank_number(template: str, language: str) -> None:
    numbers = {"operator_tax_number": "0012345678901000", "operator_name": "PT Contoh"}
    facts = FACTS[template]
    text, html = parts(written(template, language, facts, **numbers))
    said = ["PT Contoh, ", " 0012345678901000", facts["at"][language]]
    said += [facts[name] for name in ("bank_numbers", "payment", "duty", "fee") if name in facts]
    for one in said:
        assert one in text.partition("\n-- \n")[0]
        assert one in html


@pytest.mark.parametrize("recipient", ["a@example.org\nBcc: b@example.org", "a@example.org\r"])
def test_recipient_cannot_add_a_header(recipient: str) -> None:
    mailer = Mailer("", 9, "no-reply@example.id")
    with pytest.raises(ValueError, match="one line"):
        mailer.written(new_id(), recipient, "subject", "text", "html")
