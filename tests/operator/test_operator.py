"""The operator's identity: shown on every page, with its own texts, and in security.txt."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest

from meterai.apps.settings import settings_of as make_settings
from meterai.operator import OperatorSettings
from meterai.operator.model import PaperMissing, security_text
from meterai.operator.room import ROOM
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.messages import LANGUAGES, translate
from tests.support.within import Given, Within, settings_of, within

NAMED = {
    "operator_name": "PT Contoh <b>Meterai</b>",
    "operator_address": "Jalan Contoh 1, Jakarta 10110",
    "operator_mail": "tanya@contoh.id",
    "operator_phone": "+62 21 555 0100",
    "operator_hours": "Senin-Jumat 08.00-17.00 WIB",
    "operator_security": "https://contoh.id/celah",
}
NOW = datetime(2026, 11, 29, 17, 30, tzinfo=UTC)


def ask(
    database_url: str, folder: Path, what: Callable[[Within], Awaitable[None]], **values: object
) -> None:
    """Run requests against an application with these settings."""

    async def run() -> None:
        async with within(settings_of(database_url, folder, **NAMED, **values)) as web:
            await what(web)

    asyncio.run(run())


def page(answer: Given) -> str:
    assert answer.status == 200
    return answer.body.decode()


def test_public_pages_name_the_operator(database_url: str, tmp_path: Path) -> None:
    async def look(web: Within) -> None:
        for path in ("/", "/check", "/stamp", "/help", "/docs", "/terms", "/privacy", "/sign-in"):
            for language in LANGUAGES:
                text = page(await web.get(path, {"Accept-Language": language}))
                foot = text[text.index("<footer") : text.index("</footer>")]
                for name, value in NAMED.items():
                    shown = value.replace("<", "&lt;").replace(">", "&gt;")
                    assert (shown in foot) == (name != "operator_security"), (path, name)
                assert 'href="/terms"' in foot
                assert 'href="/privacy"' in foot
                assert 'href="mailto:tanya@contoh.id"' in foot

    ask(database_url, tmp_path, look)


def test_pages_without_operator_say_specimen(database_url: str, tmp_path: Path) -> None:
    async def look() -> None:
        async with within(settings_of(database_url, tmp_path)) as web:
            foot = page(await web.get("/")).partition("<footer")[2]
            assert "PT SPECIMEN" in foot
            for paper in ("terms", "privacy"):
                for language in LANGUAGES:
                    text = unescape(page(await web.get(f"/{paper}", {"Accept-Language": language})))
                    said = translate(f"page.paper.specimen.{paper}", language).split("\n")
                    assert said[0].startswith("SPECIMEN")
                    assert all(f">{line}</p>" in text for line in said)
            security = page(await web.get("/.well-known/security.txt"))
            assert security.startswith("# SPECIMEN\nContact: mailto:specimen@meterai.invalid\n")

    asyncio.run(look())


def test_text_of_operator_is_shown_escaped(database_url: str, tmp_path: Path) -> None:
    terms = tmp_path / "syarat.txt"
    terms.write_text(
        "# Pasal 1 <script>\nUang kembali\npenuh.\n\n\nPenjual:\n- PT {{ Contoh }}\n- <img>\n"
    )

    async def look(web: Within) -> None:
        terms.unlink()  # it was read when the process began
        text = page(await web.get("/terms", {"Accept-Language": "en"}))
        assert (
            "<h2>Pasal 1 &lt;script&gt;</h2>\n<p>Uang kembali penuh.</p>\n<p>Penjual:</p>" in text
        )
        assert "<li>PT {{ Contoh }}</li>\n<li>&lt;img&gt;</li>\n</ul>" in text
        there = await web.get("/privacy")
        assert (there.status, there.header("location")) == (303, "https://contoh.id/privasi")

    ask(
        database_url,
        tmp_path,
        look,
        operator_terms=str(terms),
        operator_privacy="https://contoh.id/privasi",
    )


def test_unreadable_text_prevents_the_start(tmp_path: Path) -> None:
    settings = make_settings(operator_terms=str(tmp_path / "none.txt"), data=str(tmp_path))
    with pytest.raises(PaperMissing) as refused:
        ROOM.needs(settings, keyring_of(settings))
    assert refused.value.setting == "operator_terms"


def test_security_contact_follows_rfc_9116_and_never_expires() -> None:
    settings = make_settings(**NAMED | {"operator_security": "celah@contoh.id"})
    for later in range(0, 800, 100):
        at = NOW + timedelta(days=later)
        text = security_text(
            settings.of(OperatorSettings), "https://meterai.contoh.id", at, is_specimen=False
        )
        fields = dict(line.split(": ", 1) for line in text.splitlines())
        assert fields["Contact"] == "mailto:celah@contoh.id"
        assert fields["Canonical"] == "https://meterai.contoh.id/.well-known/security.txt"
        assert fields["Preferred-Languages"] == "id, en"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", fields["Expires"])
        expires = datetime.fromisoformat(fields["Expires"])
        assert timedelta(days=90) < expires - at < timedelta(days=365)
