"""A form without a script, in a browser with a cookie that an attacker set."""

from meterai.drafts.visitors import COOKIE
from tests.support.pdf import pdf
from tests.support.walk_in import WalkIn, fields, walk_in


def _chooses(visitor: WalkIn, name: str, form: dict[str, str] | None = None) -> None:
    form = {"page_key": fields(visitor.get("/stamp"), "/stamp/files")["page_key"], **(form or {})}
    document = {"document": (name, pdf(words=name), "application/pdf")}
    assert visitor.client.post("/stamp/files", data=form, files=document).status_code == 303


def test_form_replaces_planted_token(database_url, tmp_path):
    with walk_in(database_url, tmp_path) as visitor:
        _chooses(visitor, "umpan.pdf")
        planted = visitor.cookie(COOKIE)
        _chooses(visitor, "rahasia.pdf")
        assert "rahasia.pdf" in visitor.get("/stamp")
        with visitor.as_another():
            visitor.client.cookies.set(COOKIE, planted)
            assert ".pdf</p>" not in visitor.get("/stamp")


def test_form_sent_again_after_lost_answer_uses_same_draft(database_url, tmp_path):
    with walk_in(database_url, tmp_path) as visitor:
        _chooses(visitor, "kemarin.pdf")
        before = visitor.cookie(COOKIE)
        form = {"page_key": fields(visitor.get("/stamp"), "/stamp/files")["page_key"]}
        _chooses(visitor, "surat.pdf", form)
        after = visitor.cookie(COOKIE)
        visitor.client.cookies.clear()
        visitor.client.cookies.set(COOKIE, before)
        _chooses(visitor, "surat.pdf", form)
        assert visitor.client.cookies.get(COOKIE, domain="testserver.local") == after
        visitor.client.cookies.clear()
        visitor.client.cookies.set(COOKIE, after)
        page = visitor.get("/stamp")
        assert "kemarin.pdf" in page
        assert "surat.pdf" in page
