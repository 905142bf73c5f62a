"""Forms of drafts that a browser can send, each with the preparation of its visitor."""

import re
import uuid
from base64 import b64encode
from hashlib import sha256

from tests.support.browser_forms import Case, Sent, Visitor, form, upload
from tests.support.pdf import pdf


def _whole_upload(visitor: Visitor) -> Sent:
    content = pdf(words=uuid.uuid4().hex)
    headers = {
        "Accept": "application/json",
        "Upload-Complete": "?1",
        "Upload-Length": str(len(content)),
        "Content-Type": "application/partial-upload",
        "Content-Disposition": 'attachment; filename="surat.pdf"',
        "Content-Digest": f"sha-256=:{b64encode(sha256(content).digest()).decode()}:",
    }
    return Sent("/stamp/uploads", content, headers)


def _take_out(visitor: Visitor) -> Sent:
    visitor.chooses()
    [file] = re.findall(r'action="(/stamp/files/[^"]+/take-out)"', visitor.looks("/stamp"))
    return visitor.form(file)


def _place(visitor: Visitor) -> Sent:
    visitor.chooses()
    return visitor.place()


FORMS = (
    form("/stamp/adopt", next="/stamp"),
    upload("/stamp/files"),
    Case("/stamp/files/{file_id:str}/take-out", _take_out),
    Case("/stamp/place", _place),
    Case("/stamp/uploads", _whole_upload),
)
