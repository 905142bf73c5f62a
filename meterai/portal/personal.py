"""Receipts of a person, as files for the copy of personal data."""

from collections.abc import Iterator, Mapping, Sequence

from meterai import refunds
from meterai.kit.ids import read
from meterai.operator import SPECIMEN, OperatorSettings, Seller
from meterai.orders import paid_orders
from meterai.pages import paper
from meterai.payments import captured_of
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.db.personal import CopyFile, Person, Personal
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.portal.routes.receipts import order_receipt, refund_receipt
from meterai.refunds import RefundState
from meterai.stamping import stampings_of_orders


async def receipts(tx: ReadTx, person: Person, settings: Settings, most: int) -> Sequence[CopyFile]:
    """Return receipts of a person's newest orders and their refunds, each in both languages; at most `most` files."""
    seller = Seller.of(settings.of(OperatorSettings))
    mark = "" if settings.process.is_production else SPECIMEN
    account, found = person.account, list[CopyFile]()

    def add(name: str, title: str, lines: Mapping[str, Sequence[paper.PaperLine]]) -> None:
        found.extend(_files(name, title, lines, mark))

    for order in await paid_orders(tx, account, most):
        number = read("ord", order.id)
        documents = await stampings_of_orders(tx, account, number)
        payments = await captured_of(tx, account, number)
        told = {
            one: order_receipt(seller, order, payments, documents, person.email, one)
            for one in LANGUAGES
        }
        add(f"order-{order.id}", "receipt.order_title", told)
        for back in await refunds.refunds_of_order(tx, account, number):
            if back.state != RefundState.SETTLED:
                continue
            payment = (await refunds.load(tx, account, read("rfd", back.id))).payment
            told = {
                one: refund_receipt(seller, back, payment, person.email, one) for one in LANGUAGES
            }
            add(f"refund-{back.refund_number}", "receipt.refund_title", told)
        if len(found) >= most:
            break
    return found[:most]


def _files(
    name: str, title: str, lines: Mapping[str, Sequence[paper.PaperLine]], mark: str
) -> Iterator[CopyFile]:
    for language, told in lines.items():
        receipt = paper.Receipt(translate(title, language), language, told, mark)
        yield CopyFile(f"receipts/{name}-{language}.pdf", paper.written(receipt))


PERSONAL = Personal(files=receipts)
