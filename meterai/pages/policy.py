"""What a browser may load for a page: the Content-Security-Policy (W3C CSP3)."""

import base64
import hashlib


def content_security_policy(*styles: bytes) -> str:
    """The policy of a page that has these style sheets in itself; nothing else comes from elsewhere than
    from us, and no script is in a page.
    """
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(one).digest()).decode()}'" for one in styles
    )
    return (
        f"default-src 'none'; style-src 'self'{hashes}; script-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
