"""Forms of webhooks that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import form, nobodys

FORMS = (
    form("/account/webhooks", url="https://a.example/", which="all", key=nobodys("frm")),
    form("/account/webhooks/{webhook_id:str}/act", nobodys("whk"), act="test"),
    form("/account/webhooks/{webhook_id:str}/rotate", nobodys("whk"), key=nobodys("frm")),
    form(
        "/account/webhooks/{webhook_id:str}/messages/{message_id:str}/replay",
        nobodys("whk"),
        nobodys("msg"),
    ),
)
