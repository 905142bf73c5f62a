"""Pages and API of complaints, before the whole application: person, staff, and malformed input."""

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from meterai.accounts import AccountService
from meterai.cases import Matter
from meterai.cases.proof import read_answer
from meterai.cases.proof_pages import PEM
from meterai.kit.ids import new_id, show
from meterai.plumbing.messages import translate
from meterai.plumbing.signed import public_key_of
from tests.cases.desk import Desk
from tests.support.shop import TESTER, Shop, open_shop
from tests.support.walk_in import WalkIn, fields, walk_in

ANI = "ani@example.id"
HOSTILE = "<script>alert(1)</script> {{ 7*7 }} ' OR 1=1 -- \u202e"


class Person(WalkIn):
    """Ani with a browser and orders, and a member of staff."""

    def __init__(self, walker: WalkIn, shop: Shop) -> None:
        super().__init__(walker.client)
        self.signs_in(ANI)
        [row] = shop.rows("SELECT account_id FROM accounts WHERE email = %s", ANI)
        shop.account = row["account_id"]
        self.desk = Desk(shop)

    def complains(self, about: str = "", words: str = "Kuota 0.", **more: str) -> str:
        """Send a complaint; return the page it leads to."""
        form = fields(self.get("/complaints/new"), "/complaints")
        form |= {"matter": "paid_not_executed", "about": about, "words": words} | more
        return self.goes("/complaints", form)

    @contextmanager
    def as_staff(self, role: str = "support") -> Iterator[None]:
        """Sign in a member of staff in the same browser."""
        with self.as_another():
            email = f"{new_id().hex}@operator.example"
            self.signs_in(email)
            shop = self.desk.shop
            [row] = shop.rows("SELECT account_id FROM accounts WHERE email = %s", email)
            shop.arrange(
                "UPDATE sessions SET opened_with = 'passkey' WHERE account_id = %s",
                row["account_id"],
            )
            shop.arrange(
                "INSERT INTO staff_roles (account_id, grant_id, role) VALUES (%s, %s, %s)",
                row["account_id"],
                new_id(),
                role,
            )
            self.desk.staff = row["account_id"]
            with pytest.MonkeyPatch.context() as patch:
                # The service caches the session for some seconds.
                patch.setattr("meterai.accounts.service.REMEMBERED_SECONDS", 0.0)
                self.container.of(AccountService)._remembered.clear()
                yield


@pytest.fixture
def ani(database_url: str, tmp_path: Path) -> Iterator[Person]:
    with (
        open_shop(database_url, tmp_path) as shop,
        walk_in(database_url, tmp_path) as walker,
    ):
        yield Person(walker, shop)


def test_person_gets_an_answer_at_once_and_accepts(ani: Person) -> None:
    order = show("ord", ani.desk.executed(2))
    assert f'value="{order}"' in ani.get(f"/complaints/new?order={order}")
    there = ani.complains(order)
    page = ani.get(there)
    assert "Of 2 stamps: 2 unused" in page
    assert "What happens next" in page
    assert "This does not answer it" in page
    assert ani.goes(f"{there}/accept", fields(page, f"{there}/accept")) == there
    assert "You confirmed that it is answered." in ani.get(there)
    assert there in ani.get("/complaints")


def test_unhelpful_answer_goes_to_staff_who_answer_on_the_page(ani: Person) -> None:
    there = ani.complains(show("ord", ani.desk.executed(2)))
    form = fields(ani.get(there), f"{there}/messages") | {"is_none": "1"}
    ani.goes(f"{there}/messages", form)
    assert "Our staff answer by" in ani.get(there)
    case = there.rpartition("/")[2]
    desk = f"/console/cases/{case}"
    with ani.as_staff():
        assert desk in ani.get("/console/cases?whose=nobody")
        assert desk not in ani.get("/console/cases?whose=mine")
        assert desk not in ani.get("/console/cases?matter=paid_twice")
        form = fields(ani.get(desk), desk)
        ani.goes(desk, form | {"act": "own"})
        assert desk in ani.get("/console/cases?whose=mine")
        empty = ani.sends(desk, form | {"act": "answer", "words": " "})
        assert empty.status_code == 422
        ani.goes(desk, form | {"act": "answer", "words": "Dua meterai ada di akun Anda."})
    page = ani.get(there)
    assert "Dua meterai ada di akun Anda." in page
    assert "Our staff" in page
    assert show("acc", ani.desk.staff) not in page


def test_case_pages_of_staff_need_the_permission(ani: Person) -> None:
    there = "/console/cases"
    assert ani.client.get(there).status_code == 403
    with ani.as_staff("operations"):
        assert ani.client.get(there).status_code == 403
    with ani.as_another():
        assert ani.client.get(there).status_code in (303, 401)


def test_markup_and_direction_marks_are_shown_as_text(ani: Person) -> None:
    there = ani.complains(words=HOSTILE, matter="something_else")
    case = there.rpartition("/")[2]
    pages = [ani.get(there)]
    with ani.as_staff():
        pages.append(ani.get(f"/console/cases/{case}"))
    for page in pages:
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in page
        assert "\u202e" not in page


@pytest.mark.parametrize("email", [ANI, "nobody@example.id"])
@pytest.mark.parametrize("is_real", [True, False])
def test_unsigned_complaint_gets_the_same_page_in_any_case(
    ani: Person, email: str, is_real: bool
) -> None:
    order = show("ord", ani.desk.executed(1)) if is_real else "ord_" + "0" * 26
    with ani.as_another():
        form = fields(ani.get("/complaints/new"), "/complaints/unsigned")
        form |= {"matter": "paid_not_executed", "about": order, "words": "?", "email": email}
        there = ani.goes("/complaints/unsigned", form)
        assert there == "/complaints/sent"
        assert order not in ani.get(there)


def test_flood_without_sign_in_hides_no_case_from_staff(
    ani: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("service", "staff_pages"):
        monkeypatch.setattr(f"meterai.cases.{module}.LISTED_MAX", 3)
    for number in range(6):
        ani.desk.send(f"flood{number}@example.id", Matter.SOMETHING_ELSE)
    mine = ani.complains(matter="something_else").rpartition("/")[2]

    def listed(path: str) -> tuple[list[str], str, str]:
        page = ani.get(path)
        found = re.findall(r'href="/console/cases/(cas_\w+)"', page)
        [count] = re.findall(r"(\d+) complaints?<", page)
        following = re.findall(r'href="([^"]*)">Next page', page)
        return found, count, html.unescape(following[0]) if following else ""

    with ani.as_staff():
        seen, there = [], "/console/cases"
        while there:
            found, count, there = listed(there)
            assert count == "7"
            seen += found
        assert seen[0] == mine
        assert len(seen) == len(set(seen)) == 7
        assert listed("/console/cases?sent=signed")[:2] == ([mine], "1")
        assert listed("/console/cases?sent=unsigned")[1] == "6"
        for nonsense in ("0", "-1", "x", "999999", "9" * 50):
            listed(f"/console/cases?page={nonsense}")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"matter": "money"}, "matter"), ({"words": " \u200b "}, "words"), ({"words": "x" * 2001}, "words")],
)  # fmt: skip
def test_wrong_field_is_named_and_typed_text_is_kept(
    ani: Person, wrong: dict[str, str], field: str
) -> None:
    form = fields(ani.get("/complaints/new"), "/complaints")
    form |= {"matter": "paid_twice", "about": "ord_1", "words": "Dua kali."} | wrong
    sent = ani.sends("/complaints", form)
    assert sent.status_code == 422
    assert f'id="{field}-error"' in sent.text
    assert "ord_1" in sent.text
    assert ani.desk.cases() == 0


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), "#2277aa").save(out, "PNG")
    return out.getvalue()


def test_evidence_is_shown_to_its_person_and_staff_alone(ani: Person) -> None:
    form = fields(ani.get("/complaints/new"), "/complaints")
    form = {**form, "matter": "something_else", "words": "Lihat."}
    del form["files"]
    files = {"files": ("bukti.png", picture(), "image/png")}
    sent = ani.client.post("/complaints", data=form, files=files)
    assert sent.status_code == 303, sent.text
    there = sent.headers["location"]
    [path] = re.findall(rf'href="({there}/pictures/pic_\w+)"', ani.get(there))
    shown = ani.client.get(path)
    assert shown.headers["content-type"] == "image/webp"
    assert shown.headers["x-content-type-options"] == "nosniff"
    with ani.as_another():
        ani.signs_in("budi@example.id")
        assert ani.client.get(path).status_code == 404
    with ani.as_staff():
        assert ani.client.get(f"/console/cases{path.removeprefix('/complaints')}").is_success


def test_api_complains_with_a_key_and_reads_the_same_case(ani: Person) -> None:
    shop = ani.desk.shop
    order = show("ord", ani.desk.executed(2))
    key = shop.do(shop.container.of(AccountService).create_api_key(shop.account, "k", actor=TESTER))
    bearer = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    asked = {"matter": "quota_lost", "words": "Kuota hilang.", "about": order}
    with ani.as_another():
        assert ani.client.post("/v1/cases", json=asked, headers=bearer).status_code == 400
        first_key = {**bearer, "Idempotency-Key": "k1"}
        first, second = (
            ani.client.post("/v1/cases", json=asked, headers=first_key).json() for _ in range(2)
        )
        assert first == second
        assert first["answer"]["code"] == "stamps_ready"
        assert first["about"] == order
        assert ani.client.get(f"/v1/cases/{first['id']}", headers=bearer).json() == first
        [listed] = ani.client.get("/v1/cases", headers=bearer).json()["cases"]
        assert listed["id"] == first["id"]
        wrong = ani.client.post(
            "/v1/cases",
            json={**asked, "matter": "x"},
            headers={**bearer, "Idempotency-Key": "k2"},
        )
        assert wrong.json()["code"] == "malformed"
        assert wrong.json()["field"] == "matter"


def test_proof_of_an_answer_is_for_its_person_and_contains_no_stamp(
    ani: Person,
) -> None:
    there = ani.complains(show("ord", ani.desk.executed(2)))
    sealed, signed = (ani.client.get(f"{there}/answer.{kind}") for kind in ("pdf", "json"))
    assert sealed.headers["content-type"] == "application/pdf"
    assert signed.headers["content-type"] == "application/json"
    for answer in (sealed, signed):
        assert answer.headers["content-disposition"].startswith("attachment")
    with ani.as_another():
        key = ani.client.get("/complaints/key.pem")
        assert key.headers["content-type"] == PEM
        for kind in ("pdf", "json"):
            assert ani.client.get(f"{there}/answer.{kind}").status_code in (303, 401)
        ani.signs_in("budi@example.id")
        for kind in ("pdf", "json"):
            assert ani.client.get(f"{there}/answer.{kind}").status_code == 404
        file = {"document": ("jawaban.pdf", sealed.content, "application/pdf")}
        told = ani.client.post("/check", files=file).text
    assert translate("verdict.statement", "en") in told
    assert translate("verdict.genuine", "en") not in told
    assert "Sealed on" in told
    assert "Stamped on" not in told
    facts = read_answer(signed.content, public_key_of(key.content))
    assert str(facts["order"]) in ani.get(there)
