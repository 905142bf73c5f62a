"""Attacks on sealed documents, each by name: how it is made, and what must be said of it.

`ATTACKS` is the catalogue.  The tests make every attack anew and ask for its verdict; the golden
files are the same attacks made once.  Nothing in it may ever be genuine.
"""

from tests.support.attacks import (
    by_hand,
    catalog,
    drawn_apart,
    endless,
    forgeries,
    gap,
    honest,
    later,
    octets,
    replacing,
    shadows,
    signatures,
    updates,
)
from tests.support.attacks.lab import Attack, Lab

HONEST: dict[str, Attack] = honest.CASES | by_hand.HONEST | gap.HONEST
ATTACKS: dict[str, Attack] = (
    octets.CASES
    | replacing.CASES
    | updates.CASES
    | catalog.CASES
    | signatures.CASES
    | shadows.CASES
    | forgeries.CASES
    | gap.CASES
    | endless.CASES
    | by_hand.CASES
    | later.CASES
    | drawn_apart.CASES
)

# Cases so near to another that they have no golden file: the folder must stay small.
VARIANTS = frozenset(
    [
        "catalog-actions",
        "catalog-scripts-by-name",
        "catalog-layers",
        "catalog-page-labels",
        "catalog-address-base",
        "catalog-form-resources",
        "catalog-form-default-looks",
        "catalog-form-order",
        "signed-with-actions",
        "signed-with-scripts-by-name",
        "signed-with-layers",
        "signed-with-page-labels",
        "signed-with-address-base",
        "signed-with-permissions-dropped",
        "signed-with-form-resources",
        "signed-with-form-default-looks",
        "signed-with-form-order",
        "sneaky-signature-on-a-page-upside-down",
        "sneaky-signature-on-a-page-turned-back",
        "sneaky-signature-on-a-cropped-page",
        "sneaky-signature-on-the-last-page",
        "sneaky-signature-over-the-whole-page",
        "sneaky-widget-with-a-turned-rectangle",
        "signed-in-a-field-of-our-name",
        "signature-in-a-field-of-our-name",
        "range-with-a-negative-number",
        "range-of-six-numbers",
        "spaces-in-the-gap",
        "time-swapped",
        "serial-swapped",
        "stamp-moved-in-place",
        "evil-widget",
        "evil-redaction",
        "form-dropped",
        "shadow-missing-object-with-a-comment",
        "shadow-missing-object-of-another-generation",
        "shadow-missing-object-as-a-proof",
        "shadow-missing-font",
        "shadow-old-section-again",
        "byte-in-the-picture",
        "object-appended",
        "line-feed-appended",
        "genuine-two-stamps",
        "genuine-signed-later",
        "genuine-with-proofs",
        "our-seal-upon-a-self-made-one",
        "pages-swapped",
        "signed-with-another-page",
        "signed-with-a-button",
        "form-looks-replaced",
        "sneaky-second-signature",
        "delta-removed",
        "content-freed",
        "signed-with-a-link",
        "byte-in-the-words",
        "page-replaced-by-an-update",
        "sneaky-widget-that-does-not-grow",
        "sneaky-signature-on-a-cropped-turned-page",
        "signed-with-an-inline-widget",
        "endless-strokes",
        "genuine-with-proofs-by-a-library",
        "genuine-signed-later-with-rsa",
        "genuine-upon-a-broken-signature",
        "signed-for-another-file",
        "signed-with-an-empty-container",
        "proofs-with-an-empty-field",
        "signed-over-less-than-its-update",
        "title-behind-a-signature",
    ]
)
# Made by hand: a golden file for the first of each family.
BY_HAND = (
    frozenset(by_hand.CASES | by_hand.HONEST | later.CASES | drawn_apart.CASES) - by_hand.FIRST
)
GOLDEN = {name: case for name, case in (HONEST | ATTACKS).items() if name not in VARIANTS | BY_HAND}

__all__ = ["ATTACKS", "GOLDEN", "HONEST", "VARIANTS", "Attack", "Lab"]
