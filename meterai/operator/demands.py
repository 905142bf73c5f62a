"""Conditions that the operator's identity must meet in production."""

from collections.abc import Iterator, Mapping
from email.utils import parseaddr

from meterai.commands import Demand, Facts, is_a_public_host, split_url
from meterai.kit.refusal import CommandRefusal
from meterai.operator.model import SPECIMEN, Paper, is_branch_of, is_tax_number, is_web_address
from meterai.operator.service import text_of
from meterai.plumbing.config import Configuration

NOTHING = "nothing"


def _is_set(text: str) -> bool:
    return bool(text.strip()) and SPECIMEN not in text.upper()


def _is_mail(text: str) -> bool:
    name, at, host = parseaddr(text)[1].partition("@")
    return bool(name and at) and parseaddr(text)[1] == text and is_a_public_host(host)


def _is_page(text: str) -> bool:
    url = split_url(text) if is_web_address(text) else None
    return url is not None and is_a_public_host(url.hostname or "")


def _name(of: Configuration) -> Iterator[Facts]:
    for setting in ("operator_name", "operator_address"):
        if not _is_set(of.value(setting)):
            yield {"setting": setting, "found": of.value(setting) or NOTHING}


def _contact(of: Configuration) -> Iterator[Facts]:
    if not _is_mail(of.value("operator_mail")):
        yield {"found": of.value("operator_mail") or NOTHING}


def _tax_number(of: Configuration) -> Iterator[Facts]:
    if not is_tax_number(of.value("operator_tax_number")):
        yield {"found": of.value("operator_tax_number") or NOTHING}


def _branch_number(of: Configuration) -> Iterator[Facts]:
    branch = of.value("operator_branch_number")
    if branch and not is_branch_of(branch, of.value("operator_tax_number")):
        yield {"found": branch}


def _papers(of: Configuration) -> Iterator[Facts]:
    for paper in Paper:
        setting = f"operator_{paper}"
        said = of.value(setting)
        if not said or not (_is_page(said) or _is_text(setting, said)):
            yield {"setting": setting, "found": said or NOTHING}


def _is_text(setting: str, path: str) -> bool:
    try:
        return not is_web_address(path) and _is_set(text_of(setting, path))
    except CommandRefusal:
        return False


def _security(of: Configuration) -> Iterator[Facts]:
    if not (_is_mail(of.value("operator_security")) or _is_page(of.value("operator_security"))):
        yield {"found": of.value("operator_security") or NOTHING}


DEMANDS: tuple[Demand, ...] = (
    Demand("operator_named", ("operator_name", "operator_address"), _name),
    Demand("operator_contact", ("operator_mail",), _contact),
    Demand("operator_tax_number", ("operator_tax_number",), _tax_number),
    Demand(
        "operator_branch_number", ("operator_branch_number", "operator_tax_number"), _branch_number
    ),
    Demand("operator_papers", ("operator_terms", "operator_privacy"), _papers),
    Demand("operator_security", ("operator_security",), _security),
)
UNDEMANDED: Mapping[str, str] = {
    "operator_phone": "without a telephone number the operator is reached by mail",
    "operator_hours": "without hours the operator promises none",
}
