"""Content-Security-Policy of pages (W3C CSP3)."""

import base64
import hashlib


def content_security_policy(*styles: bytes) -> str:
    """Return the policy for a page with these inline style sheets.

    All other content must come from our host, and no script may be inline.
    """
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(one).digest()).decode()}'" for one in styles
    )
    return (
        f"default-src 'none'; style-src 'self'{hashes}; script-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
