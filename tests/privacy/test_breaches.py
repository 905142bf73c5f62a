"""Register of breaches: due time, letter, mails to subjects, closing."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from meterai.accounts import AccountService
from meterai.kit.ids import show
from meterai.plumbing.db.database import Database
from meterai.plumbing.messages import format_datetime
from meterai.privacy import breaches, knows, store
from meterai.privacy.breaches import Telling
from meterai.privacy.model import (
    Breach,
    BreachNotTold,
)
from meterai.privacy.staff_pages import Letters
from tests.support.audits import audit
from tests.support.commands import run_here
from tests.support.pulling import Member, member
from tests.support.shop import TESTER, Shop

TEXTS = {
    "exposed_id": "Alamat email dan waktu masuk.",
    "exposed_en": "Addresses and times of sign-in.",
    "happened_id": "Cadangan tertinggal di server lama pada 1 September.",
    "happened_en": "A backup was left on an old server on 1 September.",
    "handling_id": "Server dimatikan, kunci diganti.",
    "handling_en": "The server was shut down, keys were replaced.",
}


@pytest.fixture
def staff(shop: Shop) -> Member:
    return member(shop, "supervisor")


def known(hours: float = 1) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def opened(staff: Member, subjects: str = "all", hours: float = 1) -> Breach:
    staff.pull("breaches open", known_at=known(hours), subjects=subjects, **TEXTS)
    return newest(staff.shop)


def newest(shop: Shop) -> Breach:
    [row] = shop.rows("SELECT breach_id FROM breaches ORDER BY breach_id DESC LIMIT 1")
    return shop.do(breaches_one(shop.container.database, row["breach_id"]))


async def breaches_one(database: Database, number: Any) -> Breach:
    return await database.once(breaches.one, show("brc", number))


def told(staff: Member, breach: Breach, who: str) -> None:
    """Notify, with the approval of another supervisor."""
    pulled = staff.pull("breaches tell", breach=breach.shown, who=who)
    assert not pulled.is_done
    member(staff.shop, "supervisor").decide(pulled)


def people(shop: Shop, count: int) -> list[str]:
    accounts = shop.container.of(AccountService)
    made = [f"orang{n}@example.id" for n in range(count)]
    for email in made:
        shop.do(accounts.create(email, "en", actor=TESTER))
    return made


def tell_all(shop: Shop) -> None:
    telling = shop.container.of(Telling)
    while shop.do(telling.tell_subjects()):
        pass


def mailed(shop: Shop) -> list[str]:
    rows = shop.rows(
        "SELECT recipient FROM mails WHERE template = 'breach_told' ORDER BY recipient"
    )
    return [one["recipient"] for one in rows]


def holds(shop: Shop) -> None:
    found = shop.do(audit(shop.container.database))
    assert found.holds, [one for one in found.findings if not one.holds]


def test_breach_is_due_three_days_after_its_discovery(staff: Member) -> None:
    breach = opened(staff, hours=30)
    assert breach.due_at - breach.known_at == timedelta(hours=72)
    [item] = staff.shop.do(work(staff.shop))
    assert item.due == breach.due_at


async def work(shop: Shop) -> Any:
    [listed] = [one for one in knows.WORK if one.name == "breaches"]
    async with shop.container.database.reading() as tx:
        return await listed.waiting(tx, shop.container.settings, datetime.now(UTC), 10)


def test_breach_notifies_named_subjects_alone(staff: Member) -> None:
    shop = staff.shop
    ani, budi, _ = people(shop, 3)
    breach = opened(staff, f"{ani}, {budi}")
    told(staff, breach, "subjects")
    tell_all(shop)
    assert mailed(shop) == [ani, budi]
    with pytest.raises(BreachNotTold):
        staff.pull("breaches close", breach=breach.shown)
    told(staff, breach, "agency")
    closed(staff, breach)
    assert newest(shop).closed_at
    assert not shop.do(work(shop))
    holds(shop)


def mails_leave(shop: Shop) -> None:
    shop.arrange(
        "UPDATE mails SET state = 'sent', sent_at = now(), tries = 1 WHERE state = 'queued'"
    )


def closed(staff: Member, breach: Breach, not_told: str = "") -> None:
    """Close, with the approval of another supervisor."""
    pulled = staff.pull("breaches close", breach=breach.shown, not_told=not_told)
    assert not pulled.is_done
    member(staff.shop, "supervisor").decide(pulled)


def test_breach_of_all_accounts_notifies_in_batches(
    staff: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = staff.shop
    monkeypatch.setattr(breaches, "BATCH", 3)
    monkeypatch.setattr(breaches, "MAILS_WAITING_MAX", 4)
    people(shop, 7)
    breach = opened(staff)
    told(staff, breach, "subjects")
    [row] = shop.rows("SELECT count(*) AS n FROM accounts WHERE email IS NOT NULL")
    telling = shop.container.of(Telling)
    assert shop.do(telling.tell_subjects()) == 3
    assert shop.do(telling.tell_subjects()) == 3
    assert shop.do(telling.tell_subjects()) == 0, "six mails wait"
    assert newest(shop).subjects_told_at is None
    mails_leave(shop)
    for _ in range(row["n"]):
        shop.do(telling.tell_subjects())
        mails_leave(shop)
    assert len(mailed(shop)) == row["n"] == newest(shop).subjects_told
    assert newest(shop).subjects_told_at
    holds(shop)


def test_failing_breach_does_not_block_another(
    staff: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = staff.shop
    people(shop, 2)
    first = opened(staff, "orang0@example.id", hours=20)
    second = opened(staff, "orang1@example.id")
    for one in (first, second):
        told(staff, one, "subjects")
    facts = breaches._facts

    def broken(found: Breach) -> dict[str, object]:
        if found.id == first.id:
            raise RuntimeError
        return facts(found)

    monkeypatch.setattr(breaches, "_facts", broken)
    tell_all(shop)
    assert mailed(shop) == ["orang1@example.id"]


def test_kill_between_batches_causes_no_second_notification(
    staff: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = staff.shop
    monkeypatch.setattr(breaches, "BATCH", 2)
    people(shop, 5)
    breach = opened(staff)
    told(staff, breach, "subjects")
    telling = shop.container.of(Telling)
    shop.do(telling.tell_subjects())

    async def killed(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(store, "told_to", killed)
        assert shop.do(telling.tell_subjects()) == 0
    shop.arrange("DELETE FROM round_faults")
    tell_all(shop)
    assert len(mailed(shop)) == len(set(mailed(shop))) == newest(shop).subjects_told
    holds(shop)


def test_breach_closed_without_notification_needs_a_reason(staff: Member) -> None:
    breach = opened(staff)
    closed(staff, breach, "Data terenkripsi.")
    assert newest(staff.shop).not_told == "Data terenkripsi."
    holds(staff.shop)


def test_letter_has_the_legal_content_in_both_languages(staff: Member) -> None:
    breach = opened(staff, hours=2)
    letters = staff.shop.container.of(Letters)
    for language in ("id", "en"):
        content = staff.shop.do(letters.sealed(breach, language))
        assert content.startswith(b"%PDF-")
        text = text_of(content)
        for part in (breach.exposed, breach.happened, breach.handling):
            assert part[language] in text
        assert breach.shown in text
        assert format_datetime(breach.due_at, language) in text
        assert "WIB" in text


def text_of(content: bytes) -> str:
    opened_file = pypdfium2.PdfDocument(io.BytesIO(content))
    pages = [page.get_textpage().get_text_range() for page in opened_file]
    opened_file.close()
    return " ".join(" ".join(pages).split())


def test_operator_enters_a_breach_at_the_command_line(shop: Shop, tmp_path: Path) -> None:
    url = shop.container.settings.process.database_url
    options = [
        word for name, text in TEXTS.items() for word in (f"--{name.replace('_', '-')}", text)
    ]
    words = ("breaches", "open", "2026-09-01", "all", *options, "--reason", "seen in a log")
    done = run_here(tmp_path, *words, DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert newest(shop).exposed["en"] == TEXTS["exposed_en"]
    holds(shop)
