"""What a file says of its length at its head, as the most lenient reader reads it."""

import time

import pytest

from meterai.sealing.pdf.linearization import is_taken_for_linearized
from tests.support.yardstick import slowness

LENGTH = 60_000


def file_with(first, *, length=LENGTH, before=b"%PDF-1.7\n"):
    """A file of this length with a first object."""
    return (before + first + b"\nendobj\n").ljust(length)


def said(entries, **more):
    return is_taken_for_linearized(file_with(b"9 0 obj\n<<%b>>" % entries, **more))


@pytest.mark.parametrize(
    "entries",
    [
        b"/Linearized 1/L 60000",
        b"/L 60000/Linearized 1",
        b"/#4cinearize#64 1/L 60000",
        b"/Linearized 1/#4C 60000",
        b"/Linearized 1/L%x\n60000",
        b"/Linearized 1/L\f\x0060000",
        b"/Linearized 1/L +\n60000",
        b"/Linearized 1/L 60000.0",
        b"/Linearized 1/L 60000.",
        b"/Linearized 1/L 6E4",
        b"/Linearized 1/L 600.0e+2",
        b"/Linearized 1/L 6-0000",
        b"/Linearized 1/L 60000-1",
        b"/Linearized 1/L " + b"0" * 90 + b"60000",
        b"/Linearized 1/L 4295027296",
        b"/Linearized 1/L 60000/L 1",
        b"/Linearized 1/L 1/L 60000",
        b"/A(x) endobj /Linearized 1/L 60000",
        b"/A(" + b"x" * 3_000 + b"\\))/Linearized 1/L 60000",
        b" " * 3_000 + b"/Linearized 1/L 60000",
        b"/A((((((((x))))))))/Linearized 1/L 60000",
        b"/A[[[[[[[[x]]]]]]]]/Linearized 1/L 60000",
        b"/A<zz>/Linearized 1/L 60000",
    ],
)
def test_a_head_that_some_reader_takes_for_linearized(entries):
    assert said(entries)


@pytest.mark.parametrize(
    "header",
    [
        b"9%x\n0 obj",
        b"9 0obj",
        b"+9.0 -0 obj %obj\n",
        b" " * 5_000 + b"9 0 obj",
        b"%x\n" * 3_000 + b"9 0 obj",
        b"junk 9 0 obj",
        b"1 0 obj 5 endobj 9 0 obj",
    ],
)
def test_its_object_however_it_begins(header):
    first = header + b"<</Linearized 1/L 60000>>"
    assert is_taken_for_linearized(file_with(first))
    assert is_taken_for_linearized(file_with(first, before=b"%PDF-1.7 "))
    assert is_taken_for_linearized(file_with(first, before=b"x%PDF-1.7\r"))


@pytest.mark.parametrize(
    "entries",
    [
        b"/Linearized 1/L 59990/H[100 10]/O 61/E 1000/N 2/T 900",
        b"/Linearized 1/L 6000/E 160000",
        b"/Type/Catalog/L 60000",
        b"/A((((((((x))))))))/L 60000",
        b"/A<zz>/L 60000",
        b"/A[" + b"1 60000 " * 200 + b"]",
    ],
)
def test_a_head_that_no_reader_takes_for_linearized(entries):
    assert not said(entries)


def test_what_is_no_first_object_says_nothing():
    assert not is_taken_for_linearized(
        file_with(b"1 0 obj <<>> endobj" + b" " * 4_000 + b"9 0 obj<</Linearized 1/L 60000>>")
    )
    assert not is_taken_for_linearized(file_with(b"1 0 obj\n(9 0 obj) endobj"))
    assert not is_taken_for_linearized(b"")


@pytest.mark.parametrize(
    "first",
    [
        b" " * 3_000_000 + b"9 0 obj<<>>",
        b"%\n" * 1_500_000 + b"9 0 obj<<>>",
        b"9 0 obj<</A(%b)/Linearized 1/L 1>>" % (b"()" * 1_000_000),
        b"9 0 obj<</Linearized 1/A[" + b"1 " * 400_000 + b"]>>",
    ],
)
def test_a_head_without_end_counts_for_one_and_costs_little(first):
    begin = time.process_time()
    assert is_taken_for_linearized(file_with(first))
    assert time.process_time() - begin < 0.3 * slowness()
