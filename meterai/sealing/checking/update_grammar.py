"""How an update behind a seal is written (ISO 32000-2, section 7.5), as signing programs write it: narrower than
the standard, for in what it allows besides readers differ.
"""

import re

WHITE = re.compile(rb"[\0\t\n\f\r ]*+")
# Between objects, and before a section: at most an empty line or two.  Some readers take lines in pieces of
# 255 octets, and see another number where one begins within a number.
BETWEEN = re.compile(rb"[\t\n\r ]{0,16}+(?<=[\r\n])")
HEADER = re.compile(rb"([1-9]\d{0,6}) (0|[1-9]\d{0,4}) obj(?![A-Za-z0-9])")
STREAM = re.compile(rb"[\t\n\f\r ]*+stream\r?\n")
STREAM_END = re.compile(rb"(?:\r\n|\n|\r)?endstream(?![A-Za-z0-9])")
OBJECT_END = re.compile(rb"[\t\n\f\r ]*+endobj(?![A-Za-z0-9])")
TABLE = re.compile(
    # One blank behind a count is written by one program; behind two, one reader loses its way.
    rb"xref ?(?:\r\n|\r|\n)"
    rb"(?:\d{1,10} \d{1,10} ?(?:\r\n|\r|\n)(?:\d{10} \d{5} [nf][ \r\n][ \r\n])*+)*+"
    rb"[\t\n\r ]{0,4}+trailer"
)
# Some programs name themselves in a comment before the pointer.  Readers look for the pointer so far from
# the end, and for the number and the mark where lines begin.
POINTER = re.compile(
    rb"[\t\n\f\r ]{1,64}+(?:%[^%\r\n][^\r\n]{0,200}+[\r\n]{1,4}+)?"
    rb"(?P<word>startxref)[\t ]{0,4}+(?:\r\n|\n|\r)(\d{1,10})[\t ]{0,4}+(?:\r\n|\n|\r){1,2}+%%EOF"
)
TABLE_ENTRY = re.compile(rb"[\t\n\f\r ]++([1-9]\d{0,6})[\t\n\f\r ]++(\d{1,10})(?=[\t\n\f\r ])")
RUN = re.compile(rb"[\r\n](\d{1,10}) (\d{1,10})[\t ]*+[\r\n]")
