"""A page as a browser reads it: links, forms, and the data for scripts."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from urllib.parse import urlencode

_TAG = re.compile(
    r"<(/?)(a|form|input|button|textarea|meta|div|section)\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([a-zA-Z][\w:-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_TITLE = re.compile(r"<title>\s*(.*?)\s*</title>", re.DOTALL | re.IGNORECASE)
# The code of a refusal on its page.
_CODE = re.compile(r"data-refusal=\"\d{3} (\w+)\"")
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"


class NotOnPage(Exception):
    """A link, a form or a field that the journey needs is not on the page."""


@dataclass(slots=True)
class Form:
    """Form of a page, filled in with its defaults."""

    action: str
    kind: str
    fields: dict[str, str] = field(default_factory=dict)
    file_field: str = ""

    def filled(
        self,
        values: Mapping[str, str],
        file: tuple[str, bytes] | None = None,
        pressed: tuple[str, str] | None = None,
    ) -> tuple[str, bytes]:
        """Return content type and body of the form with these values; `pressed` is a button and its value.

        Raises `NotOnPage` for an unknown name.
        """
        strange = values.keys() - self.fields.keys()
        if strange or (file and not self.file_field):
            raise NotOnPage(", ".join(sorted(strange)) or "a field for a file")
        texts = self.fields | dict(values) | dict([pressed] if pressed else [])
        if self.kind != MULTIPART:
            return URLENCODED, urlencode(texts).encode()
        return _multipart(texts, self.file_field, file)


def _multipart(
    texts: Mapping[str, str], file_field: str, file: tuple[str, bytes] | None
) -> tuple[str, bytes]:
    edge = secrets.token_hex(16)
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in texts.items()
    ]
    if file is not None:
        name, content = file
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{file_field}"; filename="{name}"\r\n'
        parts += [head.encode(), b"Content-Type: application/pdf\r\n\r\n", content, b"\r\n"]
    return f"{MULTIPART}; boundary={edge}", b"".join(parts) + f"--{edge}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    attributes: Mapping[str, str]
    is_end: bool
    end: int  # end of its tag in the text


@dataclass(frozen=True)
class Page:
    """A shown page: its address, its status, and its HTML or other content."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def text(self) -> str:
        """Content of the page as text."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def elements(self) -> tuple[_Element, ...]:
        """The elements that journeys use, in the order of the page."""
        return tuple(
            _Element(found[2].lower(), _attributes(found[3]), bool(found[1]), found.end())
            for found in _TAG.finditer(self.text)
        )

    @property
    def title(self) -> str:
        """Title of the page."""
        found = _TITLE.search(self.text)
        return unescape(found[1]) if found else ""

    @property
    def refusal(self) -> str:
        """Code of the refusal that the page shows, else empty."""
        found = _CODE.search(self.text)
        return found[1] if found else ""

    def links(self) -> tuple[str, ...]:
        """Targets of the links of the page."""
        return tuple(
            one.attributes["href"]
            for one in self.elements
            if one.name == "a" and "href" in one.attributes
        )

    def link(self, pattern: str) -> str:
        """Return the first link whose whole address matches the pattern. Raises `NotOnPage`."""
        for one in self.links():
            if re.fullmatch(pattern, one):
                return one
        raise NotOnPage(f"a link to {pattern}")

    def has_link(self, pattern: str) -> bool:
        """True if the page has a matching link."""
        return any(re.fullmatch(pattern, one) for one in self.links())

    def form(self, pattern: str, named: str = "") -> Form:
        """Return the first form whose action matches the pattern and, if `named` is given, which has a field of
        that name.

        Raises `NotOnPage`.
        """
        for one in self.forms():
            if re.fullmatch(pattern, one.action) and (not named or named in one.fields):
                return one
        raise NotOnPage(f"a form for {pattern}")

    def has_form(self, pattern: str) -> bool:
        """True if the page has a form whose action matches."""
        return any(re.fullmatch(pattern, one.action) for one in self.forms())

    def forms(self) -> list[Form]:
        """Forms of the page, filled in with their defaults."""
        found: list[Form] = []
        is_inside = False
        for one in self.elements:
            if one.name == "form":
                is_inside = not one.is_end
                if is_inside:
                    found.append(
                        Form(
                            one.attributes.get("action", self.path),
                            one.attributes.get("enctype", URLENCODED),
                        )
                    )
            elif is_inside and one.name == "input" and "name" in one.attributes:
                _add_field(found[-1], one.attributes)
        return found

    def picture(self, pattern: str) -> str:
        """Return the address of the first matching picture. Raises `NotOnPage`."""
        for one in self.elements:
            if re.fullmatch(pattern, one.attributes.get("src", "")):
                return one.attributes["src"]
        raise NotOnPage(f"a picture {pattern}")

    def text_of(self, identifier: str) -> str:
        """Return the text of a text area. Raises `NotOnPage`."""
        for one in self.elements:
            if one.name == "textarea" and one.attributes.get("id") == identifier:
                return unescape(self.text[one.end : self.text.index("<", one.end)]).strip()
        raise NotOnPage(f"a text area {identifier}")

    def data(self, name: str) -> str:
        """Return the value of an attribute `data-<name>`, else an empty text."""
        wanted = f"data-{name}"
        return next(
            (one.attributes[wanted] for one in self.elements if wanted in one.attributes), ""
        )


def _attributes(text: str) -> dict[str, str]:
    return {
        found[1].lower(): unescape(found[2] or found[3] or found[4] or "")
        for found in _ATTRIBUTE.finditer(text)
    }


def _add_field(form: Form, attributes: Mapping[str, str]) -> None:
    name, kind = attributes["name"], attributes.get("type", "text").lower()
    if kind == "file":
        form.file_field = name
    elif kind in ("radio", "checkbox"):
        if "checked" in attributes:
            form.fields[name] = attributes.get("value", "on")
    elif kind not in ("submit", "button", "reset", "image"):
        form.fields[name] = attributes.get("value", "")
