"""Conditions that the settings of mail must meet in production."""

from collections.abc import Iterator, Mapping
from email.utils import parseaddr

from meterai.commands import Demand, Facts, is_a_public_host, is_this_machine
from meterai.plumbing.config import Configuration


def _mail_server(of: Configuration) -> Iterator[Facts]:
    host, port = of.value("smtp_host"), of.value("smtp_port")
    if not (host and port):
        yield {"found": f"{host}:{port}"}


def _mail_encryption(of: Configuration) -> Iterator[Facts]:
    if of.value("smtp_tls") == "none" and not is_this_machine(of.value("smtp_host")):
        yield {}


def _mail_sender(of: Configuration) -> Iterator[Facts]:
    name, at, host = parseaddr(of.value("mail_from"))[1].partition("@")
    if not (name and at and is_a_public_host(host)):
        yield {"found": of.value("mail_from")}


DEMANDS: tuple[Demand, ...] = (
    Demand("mail_server", ("smtp_host", "smtp_port"), _mail_server),
    Demand("mail_encryption", ("smtp_tls",), _mail_encryption),
    Demand("mail_sender", ("mail_from",), _mail_sender),
)
UNDEMANDED: Mapping[str, str] = {
    "smtp_password": "a mail server may need none",
    "smtp_user": "a mail server may need none",
}
