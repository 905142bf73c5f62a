"""Forms of accounts that a browser can send, each with the preparation of its visitor."""

from tests.support.browser_forms import Case, form, nobodys

FORMS = (
    form("/language", language="id", next="/"),
    Case("/sign-in", lambda one: one.form("/sign-in", email=one.email, next="/history")),
    form("/sign-in/code", challenge=nobodys("chl"), code="000000", next="/"),
    form("/sign-in/link", challenge=nobodys("chl"), secret="0"),
    form("/sign-in/passkey/options"),
    form("/sign-in/passkey", credential="{}", next="/"),
    form("/account/passkeys/options"),
    form("/account/passkeys", name="a", credential="{}"),
    form("/account/passkeys/{passkey_id:str}/end", nobodys("psk")),
    form("/account/sessions/{session_id:str}/end", nobodys("ses")),
    form("/account/keys", name="a", key=nobodys("frm")),
    form("/account/keys/{key_id:str}/replace", nobodys("key"), key=nobodys("frm"), overlap="24"),
    form("/account/keys/{key_id:str}/end", nobodys("key")),
    form("/account/organizations/new", organization="PT Contoh", key=nobodys("frm")),
    form("/account/acting", account=nobodys("acc")),
    form("/account/members/invitations", email="a@example.org", role="clerk"),
    form("/account/members/invitations/{invitation_id:str}/withdraw", nobodys("inv")),
    form("/account/members/{membership_id:str}/change", nobodys("mem"), role="clerk"),
    form("/account/members/{membership_id:str}/end", nobodys("mem")),
    form("/account/members/leave"),
    form("/invitations", invitation="0" * 84),
    form("/sign-out"),
    form("/account/sign-out-everywhere"),
)
