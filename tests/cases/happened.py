"""A case in each state and with each outcome, and one from an address without an account."""

import io
from collections.abc import Sequence

from PIL import Image

from meterai.cases import CaseService, Matter
from meterai.cases.model import Case, CaseEvent, CaseOutcome, Complaint
from meterai.kit.ids import new_id, show
from tests.support.history import History
from tests.support.shop import TESTER

AFTER = ("collectors",)


def happen(history: History) -> None:
    shop, staff = history.shop, new_id()
    service = shop.container.of(CaseService)
    ordered = show("ord", history["quota.order"])

    def complain(name: str, matter: Matter, about: str, pictures: Sequence[bytes] = ()) -> Case:
        complaint = Complaint(matter, "Kuota 0.", "id", about, pictures=pictures)
        case = shop.do(service.complain(shop.account, complaint, actor=TESTER))
        history.names[f"{name}.case"] = case.id
        return case

    def act(case: Case, event: CaseEvent, outcome: CaseOutcome | None = None) -> Case:
        acting = service.write_as_staff(case, event, "Halo.", staff, actor=TESTER, outcome=outcome)
        return shop.do(acting)

    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    webp = shop.do(service.redrawn(picture.getvalue(), "192.0.2.1"))
    complain("answered", Matter.QUOTA_LOST, ordered)
    accepted = complain("accepted", Matter.PAID_NOT_EXECUTED, ordered)
    shop.do(service.accept(accepted, actor=TESTER))
    act(complain("by_staff", Matter.CANNOT_OPEN, ordered), CaseEvent.ANSWERED)
    act(complain("asked_back", Matter.INVALID_AT_AGENCY, ordered), CaseEvent.ASKED)
    closed = complain("closed", Matter.SOMETHING_ELSE, ordered, [webp])
    act(closed, CaseEvent.CLOSED, CaseOutcome.SOLVED)
    again = complain("reopened", Matter.SOMETHING_ELSE, "")
    act(again, CaseEvent.CLOSED, CaseOutcome.EXPLAINED)
    shop.do(service.say(again, "Belum.", [], actor=TESTER))
    order = history.quota("money", 1)
    back = complain("money", Matter.REFUND_WHERE, show("ord", order))
    shop.do(service.not_answered(back, "", actor=TESTER))
    shop.ask_back(order)
    shop.work()
    history.give_back("money", "send", "settle")
    complaint = Complaint(Matter.PAID_TWICE, "Dua kali.", "en")
    shop.do(service.send("tamu@example.org", "192.0.2.1", complaint))
    shop.work()
