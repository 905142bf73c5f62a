"""PDF objects, made and looked at: typed functions over pyHanko's untyped ones.

Made: keys are given without their leading slash.  Looked at: a value of the wrong kind is `None`
or empty, because a hostile file may put anything anywhere.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_string

Dictionary = generic.DictionaryObject
Array = generic.ArrayObject
Reference = generic.Reference
Value = generic.PdfObject


def key(text: str) -> generic.NameObject:
    """A name, `/Type` from `Type`."""
    return generic.NameObject(f"/{text}")


def new_dictionary(entries: Mapping[str, Value]) -> Dictionary:
    """A dictionary of these entries."""
    return Dictionary(named(entries))  # type: ignore[no-untyped-call]


def named(entries: Mapping[str, Value]) -> dict[generic.NameObject, Value]:
    """The entries under names, as an update of a dictionary wants them."""
    return {key(text): value for text, value in entries.items()}


def new_array(values: Iterable[Value]) -> Array:
    """An array of these values."""
    return Array(values)


def integer(value: int) -> generic.NumberObject:
    """A whole number."""
    return generic.NumberObject(value)  # type: ignore[no-untyped-call]


def reals(values: Iterable[float]) -> Array:
    """An array of numbers, to a thousandth."""
    return Array(generic.FloatObject(f"{value:.3f}") for value in values)  # type: ignore[no-untyped-call]


def string(text: str) -> Value:
    """A text string."""
    made: Value = pdf_string(text)
    return made


def octets(value: bytes) -> generic.ByteStringObject:
    """A byte string."""
    return generic.ByteStringObject(value)


def resolved(value: object) -> object:
    """The object itself where the value is a reference to it."""
    if isinstance(value, generic.IndirectObject):
        found: object = value.get_object()  # type: ignore[no-untyped-call]
        return found
    return value


def reference(value: object) -> Reference | None:
    """What the value refers to, if it is a reference."""
    return value.reference if isinstance(value, generic.IndirectObject) else None


def dictionary(value: object) -> Dictionary | None:
    """The value, or what it refers to, if that is a dictionary."""
    found = resolved(value)
    return found if isinstance(found, Dictionary) else None


def array(value: object) -> Array | None:
    """The value, or what it refers to, if that is an array."""
    found = resolved(value)
    return found if isinstance(found, Array) else None


def text(value: object) -> str:
    """The value if it is a text string, else the empty string."""
    return str(value) if isinstance(value, generic.TextStringObject) else ""


def name(value: object) -> str:
    """The value if it is a name, with its slash; else the empty string."""
    return str(value) if isinstance(value, generic.NameObject) else ""


def number(value: object) -> float | None:
    """The value, or what it refers to, if that is a number."""
    found = resolved(value)
    # The library's whole numbers are ints, its fractions decimals.
    return float(found) if isinstance(found, int | Decimal) else None


def octets_of(value: object) -> bytes | None:
    """The bytes of a string of either kind."""
    if isinstance(value, generic.ByteStringObject | generic.TextStringObject):
        found: bytes = value.original_bytes
        return found
    return None


def raw(holder: Dictionary | None, entry_key: str) -> object:
    """What stands under the key, a reference unfollowed; `None` if nothing does."""
    if holder is None or entry_key not in holder:
        return None
    found: object = holder.raw_get(entry_key)
    return found


def entry(holder: Dictionary | None, entry_key: str) -> Value | None:
    """What the key leads to, through a reference; `None` if it is missing or null."""
    found = resolved(raw(holder, entry_key))
    known = isinstance(found, Value) and not isinstance(found, generic.NullObject)
    return found if known and isinstance(found, Value) else None


def items(holder: Dictionary | None, entry_key: str) -> Array:
    """The array under the key; an empty one if there is none."""
    found = array(entry(holder, entry_key))
    return found if found is not None else Array()
