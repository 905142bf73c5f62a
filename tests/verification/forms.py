"""Forms of verification that a browser can send, each with the preparation of its visitor."""

import urllib3

from tests.support.browser_forms import Case, Sent, Visitor, upload


def _table_of_a_tab(_: Visitor) -> Sent:
    body, kind = urllib3.encode_multipart_formdata({"table": '[["a.pdf"]]'})
    return Sent("/check/many/table/csv", body, {"Content-Type": kind})


FORMS = (
    upload("/check"),
    upload("/check/qr"),
    upload("/check/many"),
    upload("/check/many/rows"),
    upload("/check/many.csv"),
    upload("/check/many.xlsx"),
    upload("/check/many.zip"),
    Case("/check/many/table/{kind:str}", _table_of_a_tab),
    upload("/check/sealed"),
)
