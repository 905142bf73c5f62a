"""A draft that was ordered, and one that was not."""

from meterai.drafts import DraftService, Uploads
from meterai.sealing import Placement
from tests.support.history import History
from tests.support.pdf import pdf
from tests.support.stored import keep_document

AFTER = ("draw",)


def happen(history: History) -> None:
    shop = history.shop
    drafts, uploads = shop.container.of(DraftService), shop.container.of(Uploads)
    draft, token = drafts.fresh(shop.account, "192.0.2.1")
    file = shop.do(uploads.add_whole(draft, "draf.pdf", pdf(words="draf"), token=token))
    shop.do(drafts.place(draft, file, [Placement(1, 60, 60, 80)]))
    # Its order belongs to another room; the document that took over its bytes is made here.
    assert file.sha256 is not None
    keep_document(shop, shop.account, file.sha256, file.size)
    shop.do(drafts.finish(draft, history["quota.order"], [file]))
    waiting, token = drafts.fresh(None, "192.0.2.1")
    shop.do(uploads.add_whole(waiting, "nanti.pdf", pdf(words="nanti"), token=token))
