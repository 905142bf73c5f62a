"""Texts for people: one catalogue of sentences, Indonesian and English side by side.

Each room keeps its sentences in its own `messages.toml`; sentences of a single page are beside the template of that
page, in `templates/<page>.toml`:

    ["refusal.not_enough_stamps"]
    id = "Meterai Anda tidak cukup: perlu {needed}, tersedia {available}."
    en = "You do not have enough stamps: you need {needed} and have {available}."

A sentence is filled from facts by name. {quantity:stamp|stamps} is the first word for one and the second for several.
{retry_at.clock} is a time of day (hour and minute) without its date. {note:? Note: *} is the text after the question mark with
the fact in place of the star, and nothing if there is no such fact. A test checks that both languages are complete and that
every refusal code is translated.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from string import Formatter
from typing import Any

from babel import dates

from meterai.kit.clock import WIB
from meterai.kit.refusal import Sentence
from meterai.kit.serial import Serial

LANGUAGES = ("id", "en")
MEGABYTE = 1024 * 1024  # bytes; as phones and desktops count the size of files
# Facts that are the largest allowed size of something.
_LIMITS = frozenset({"limit_bytes", "sum_bytes"})
_SERIALS = frozenset({"serial", "serials"})
_BESIDE: list[Traversable] = []  # folders of sentences outside the package


def _files() -> Iterator[Traversable]:
    """Yield every file of sentences, room by room."""
    rooms = sorted(resources.files("meterai").iterdir(), key=lambda room: room.name)
    for room in (*rooms, *_BESIDE):
        yield room / "messages.toml"
        templates = room / "templates"
        yield from templates.iterdir() if templates.is_dir() else ()


def also(*homes: Traversable) -> None:
    """Add the sentences of rooms or distributions outside the package; repeating it changes nothing."""
    for home in homes:
        if home not in _BESIDE:
            _BESIDE.append(home)
            catalogue.cache_clear()


@cache  # the only entry: the function takes no arguments
def catalogue() -> dict[str, dict[str, str]]:
    """Return every sentence of every room: key -> language -> text."""
    found: dict[str, dict[str, str]] = {}
    for file in _files():
        if not (file.name.endswith(".toml") and file.is_file()):
            continue
        for key, texts in tomllib.loads(file.read_text()).items():
            assert key not in found, f"{key} is defined in two places"
            found[key] = texts
    return found


class LocalTime(str):
    """A time as text. Its `clock` is the time of day (hour and minute) alone, for sentences in which the date is obvious."""

    __slots__ = ("clock",)
    clock: str


class _Lenient(Formatter):
    """Leaves a placeholder without a fact as it is, instead of failing while a page is made."""

    def get_value(self, key: int | str, args: object, kwargs: object) -> object:
        assert isinstance(kwargs, dict)
        return kwargs.get(key, "{" + str(key) + "}")

    def get_field(self, field_name: str, args: object, kwargs: object) -> Any:
        try:
            return super().get_field(field_name, args, kwargs)  # type: ignore[arg-type]
        except AttributeError:
            return "{" + field_name + "}", field_name

    def format_field(self, value: object, format_spec: str) -> str:
        """Format the value of a placeholder.

        `{quantity:stamp|stamps}` gives "stamp" if the quantity is 1, else "stamps". `{note:? Note: *}` gives " Note: " and
        the value in place of `*`, or nothing if the value is empty.
        """
        if format_spec.startswith("?"):
            return format_spec[1:].replace("*", str(value)) if value else ""
        one, is_choice, several = format_spec.partition("|")
        if not is_choice:
            return str(super().format_field(value, format_spec))
        return one if str(value) == "1" else several


def translate(key: str, language: str, /, **facts: object) -> str:
    """Return the sentence in this language, filled from the facts. An unknown key is returned as it is."""
    texts = catalogue().get(key)
    if texts is None:
        return key
    return _Lenient().vformat(texts.get(language, texts["id"]), (), facts)


def localize(facts: Mapping[str, object], language: str) -> dict[str, object]:
    """Return the facts in the form that sentences need: times, lengths, sizes and serials as people write them."""
    return {name: _localized(name, value, language) for name, value in facts.items()}


def _localized(name: str, value: object, language: str) -> object:
    if isinstance(value, Sentence):
        return translate(value.key, language, **value.facts)
    if isinstance(value, Mapping):  # texts by people, stored in both languages
        return value.get(language, "")
    if isinstance(value, datetime):
        local = LocalTime(format_datetime(value, language))
        local.clock = format_clock(value, language)
        return local
    if isinstance(value, int) and (name == "bytes" or name.endswith("_bytes")):
        return format_size(value, language, is_limit=name in _LIMITS)
    if isinstance(value, float):
        return format_length(value, language)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if name in _SERIALS and isinstance(value, str):
        return ", ".join(_grouped(one) for one in value.split(", "))
    return value


def format_length(value: float, language: str) -> str:
    """Return a length as text with up to two decimals: 65, or 595,28 with the decimal separator of the language."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language == "id" else text


def _grouped(text: str) -> str:
    """Return a serial in groups, as on the stamp and every page, for comparison letter by letter."""
    try:
        return Serial(text).grouped()
    except ValueError:
        return text


def format_size(size: int, language: str, *, is_limit: bool = False) -> str:
    """Return a number of bytes as people write it: 20 MB, 1,4 MB, 310 KB.

    A size is rounded up and a limit down, so that a file that is too large never seems to fit.
    """

    def units(of: int) -> int:
        return size // of if is_limit else -(-size // of)

    if units(1024) < 1024:
        return f"{max(min(size, 1), units(1024))} KB"
    tenths = size * 10 // MEGABYTE if is_limit else -(-size * 10 // MEGABYTE)
    if tenths >= 100:
        return f"{units(MEGABYTE)} MB"
    whole, tenth = divmod(tenths, 10)
    return f"{whole}{',' if language == 'id' else '.'}{tenth} MB"


def for_program(facts: Mapping[str, object]) -> dict[str, object]:
    """Return the facts in the form for programs: a fact that is a `Sentence` is replaced by its code, and the facts that fill
    the sentence are added.
    """
    found: dict[str, object] = {}
    for name, value in facts.items():
        if isinstance(value, Sentence):
            found |= value.facts
            value = value.code
        found[name] = value
    return found


def format_datetime(at: datetime, language: str) -> str:
    """Return a time in Western Indonesia Time as text: 24 Nov 2026 15.04 WIB."""
    pattern = "d MMM y HH.mm" if language == "id" else "d MMM y HH:mm"
    local = at.astimezone(UTC).astimezone(WIB)
    return f"{dates.format_datetime(local, pattern, locale=language)} WIB"


def format_day(day: date | str, language: str) -> str:
    """Return a day, or a month given as 2026-11, as text: 24 Nov 2026, November 2026."""
    text = str(day)
    if len(text) == len("2026-11"):
        return dates.format_date(date.fromisoformat(f"{text}-01"), "MMMM y", locale=language)
    return dates.format_date(date.fromisoformat(text), "d MMM y", locale=language)


def format_clock(at: datetime, language: str) -> str:
    """Return the time of day (hour and minute) of a time in Western Indonesia Time as text: 15.04 WIB."""
    return f"{at.astimezone(WIB):{'%H.%M' if language == 'id' else '%H:%M'}} WIB"
