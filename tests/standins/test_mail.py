"""The stand-in for mail: an SMTP server that stores and shows mails."""

import asyncio
import smtplib
import socket
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import pytest

import standins
from standins.mail import smtp, store
from tests.support.keys import OUR_KEY, public_pem_of

PUBLIC = public_pem_of(OUR_KEY)


class World:
    """The stand-ins and a browser."""

    def __init__(self, running: standins.Running, http: aiohttp.ClientSession) -> None:
        self.running = running
        self.http = http

    async def send(self, message: EmailMessage | bytes, *to: str) -> None:
        def sent() -> None:
            with smtplib.SMTP("127.0.0.1", self.running.smtp_port, timeout=5) as client:
                if isinstance(message, bytes):
                    client.sendmail("from@example.id", list(to), message)
                else:
                    client.send_message(message, "from@example.id", list(to))

        await asyncio.to_thread(sent)

    async def ask(self, path: str, method: str = "GET", **body: object):
        url = self.running.mail_url + path
        async with self.http.request(method, url, json=body or None) as response:
            if response.content_type == "application/json":
                return await response.json()
            return await response.text()


def with_mail(directory: Path, story: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        options = standins.Options(directory, "x", "y", PUBLIC, "http://127.0.0.1:9/notify")
        running = await standins.start(options)
        try:
            async with aiohttp.ClientSession() as http:
                await story(World(running, http))
        finally:
            await running.stop()

    asyncio.run(run())


def new_mail(
    subject: str = "Kode masuk: 123456", text: str = "Kode Anda 123456.\n"
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Meterai <no-reply@meterai.example>"
    message["To"] = "Budi <budi@example.id>"
    message["Subject"] = subject
    message.set_content(text)
    return message


def test_mail_is_stored_and_shown(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        text = "Halo é,\n.titik di depan\n..dua titik\nhttps://x.example/a?b=1&c=2.\n<b>no</b>\n"
        message = new_mail("Tanda terima é", text)
        message.add_alternative(
            '<p style="color:red">Halo</p><script>alert("x")</script>', subtype="html"
        )
        message.add_attachment("not the text", filename="a.txt")
        await world.send(message, "budi@example.id", "Sari@Example.id")

        mails = await world.ask("/standin/mails")
        assert [mail["to"] for mail in mails] == ["Sari@Example.id", "budi@example.id"]
        [mail] = await world.ask("/standin/mails?to=BUDI@example.id")
        assert mail["from"] == "Meterai <no-reply@meterai.example>"
        assert mail["subject"] == "Tanda terima é"
        assert mail["text"].splitlines() == text.splitlines()
        assert "<script>" in mail["html"]
        assert mail["received_at"].endswith("+07:00")

        inbox = await world.ask("/?to=sari@example.id")
        assert "Tanda terima é" in inbox
        assert "budi@example.id" not in inbox
        shown = await world.ask(f"/mails/{mail['id']}")
        assert "href='https://x.example/a?b=1&amp;c=2'>" in shown
        assert "&lt;b&gt;no" in shown
        assert "<script>" not in shown
        assert "sandbox='allow-popups allow-popups-to-escape-sandbox'" in shown
        assert (await world.ask("/mails/999"))["error"] == "not_found"

        assert await world.ask("/standin/mails", "DELETE") == {"deleted": 2}
        assert await world.ask("/standin/mails") == []
        await world.send(new_mail(), "budi@example.id")
        [later] = await world.ask("/standin/mails")
        assert later["id"] > mails[0]["id"]

    with_mail(tmp_path, story)


def test_refused_mails_may_be_sent_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        told = await world.ask("/standin/faults", "POST", refuse=1)
        assert told == {"refuse": 1, "delay_seconds": 0}
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await world.send(new_mail(), "budi@example.id")
        assert refused.value.smtp_code == 451
        await world.send(new_mail(), "budi@example.id")
        assert len(await world.ask("/standin/mails")) == 1
        assert (await world.ask("/standin/faults", "POST", drop=1))["error"] == "unknown_fault"

    with_mail(tmp_path, story)


def test_mail_survives_a_restart_and_old_ones_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAILS_MAX", 3)

    async def first(world: World) -> None:
        for number in range(5):
            await world.send(new_mail(f"mail {number}"), "budi@example.id")

    async def second(world: World) -> None:
        mails = await world.ask("/standin/mails")
        assert [mail["subject"] for mail in mails] == ["mail 4", "mail 3", "mail 2"]

    with_mail(tmp_path, first)
    with_mail(tmp_path, second)


def test_smtp_conversation_is_as_specified(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.running.smtp_port)
        assert (await reader.readline()).startswith(b"220")

        async def say(line: str) -> str:
            writer.write(line.encode() + b"\r\n")
            return (await reader.readline()).decode()[:3]

        answers = [
            ("HELO me", "250"),
            ("DATA", "503"),
            ("RCPT TO:<a@b.id>", "503"),
            ("MAIL FROM:nobody", "501"),
            ("MAIL FROM:<> BODY=8BITMIME SIZE=10", "250"),
            ("MAIL FROM:<x@y.id>", "503"),
            ("RCPT TO:<>", "501"),
            ("rcpt to: <a@b.id>", "250"),
            ("RSET", "250"),
            ("DATA", "503"),
            ("NOOP", "250"),
            ("VRFY a", "252"),
            ("STARTTLS", "500"),
            ("MAIL FROM:<x@y.id> SIZE=99999999", "552"),
            ("QUIT", "221"),
        ]
        for line, expected in answers:
            assert await say(line) == expected, line
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    with_mail(tmp_path, story)


def test_broken_mime_and_broken_clients_do_no_harm(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.send(
            b"Subject: =?nonsense?q?x?=\r\nContent-Type: text/plain; charset=klingon\r\n"
            b"From: <<>,\r\nContent-Transfer-Encoding: base64\r\n\r\nnot base64!\r\n",
            "budi@example.id",
        )
        assert len(await world.ask("/standin/mails?to=budi@example.id")) == 1
        await world.ask("/mails/1")

        def endless() -> None:
            with socket.create_connection(("127.0.0.1", world.running.smtp_port), 5) as line:
                line.recv(100)
                try:
                    line.sendall(b"x" * (3 * smtp.LINE_BYTES_MAX))
                    line.recv(100)
                except OSError:
                    pass  # the connection was closed before everything was sent

        await asyncio.to_thread(endless)
        await world.send(new_mail(), "budi@example.id")
        assert len(await world.ask("/standin/mails")) == 2

    with_mail(tmp_path, story)
