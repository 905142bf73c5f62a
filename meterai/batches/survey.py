"""Survey of the waiting rows of a batch: their documents, the rows that cannot be stamped, and the stamps needed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from meterai import stamping, stamps
from meterai.batches import store
from meterai.batches.model import (
    Batch,
    BatchFile,
    FileMissing,
    RowToStart,
    RowTwice,
    subject_of,
    twin_of,
)
from meterai.batches.words import kept_refusal
from meterai.plumbing.db.database import ReadTx
from meterai.stamping import StampingState


class BatchSurvey(NamedTuple):
    """Changes that the start of a batch makes to its rows, and the stamps needed and available.

    resolved    rows whose document was found now
    refused     rows that cannot be stamped, with the reasons
    documents   digests of the documents of the rows that are not refused
    rows        number of different rows that are not refused
    """

    resolved: list[dict[str, object]]
    refused: list[dict[str, object]]
    documents: list[bytes]
    rows: int
    needed: int
    available: int


class _Files:
    """Files of a batch, found by full name or by name without folders.

    Tables often name files without their folder in the archive. If a row gives the full name of a file, no other row finds this
    file by the short name: the other row may mean a file with the same short name that was refused.
    """

    def __init__(self, files: Iterable[BatchFile], named: Set[str]) -> None:
        self._by_name: dict[str, BatchFile] = {}
        self._by_last_part: defaultdict[str, list[BatchFile]] = defaultdict(list)
        for one in files:
            self._by_name[one.name] = one
            if one.name not in named:
                self._by_last_part[one.name.rpartition("/")[2]].append(one)

    def named(self, name: str) -> BatchFile | None:
        """Return the file with this full name, else the only file with this short name; None if there is no such file."""
        alike = self._by_last_part.get(name, [])
        return self._by_name.get(name) or (alike[0] if len(alike) == 1 else None)


async def survey_of(tx: ReadTx, batch: Batch) -> BatchSurvey:
    """Examine the waiting rows of a batch, without changing them."""
    account = batch.account
    rows = await store.rows_to_start(tx, account, batch.id)
    files = _Files(
        await store.files(tx, account, batch.id),
        {row.document.removeprefix("file:") for row in rows},
    )
    named = [
        bytes.fromhex(row.document.removeprefix("sha256:"))
        for row in rows
        if row.document.startswith("sha256:")
    ]
    documents = await store.documents_known(tx, account, named) if named else {}
    resolved: list[dict[str, object]] = []
    refused: list[dict[str, object]] = []
    first: dict[bytes, int] = {}
    subjects: dict[bytes, int] = {}
    hashes: set[bytes] = set()
    for row in rows:
        found = _document(row, files, documents)
        if found is None:
            refused.append({"number": row.number} | kept_refusal(FileMissing("not there")))
            continue
        digest, name, is_repaired = found
        twin = first.setdefault(twin_of(digest, row.wishes), row.number)
        if twin != row.number:
            refused.append({"number": row.number} | kept_refusal(RowTwice(twin)))
            continue
        if row.sha256 is None:
            resolved.append(
                {
                    "number": row.number,
                    "sha256": digest.hex(),
                    "is_repaired": is_repaired,
                    "document_name": name,
                }
            )
        hashes.add(digest)
        subjects[subject_of(digest, row.wishes, row.facts, row.key)] = row.quantity
    bound = await store.bound(tx, account, list(subjects)) if subjects else {}
    states = await stamping.states(tx, account, list(bound.values())) if bound else {}
    alive = {one.id for one in states.values() if one.state is not StampingState.FAILED}
    needed = sum(count for subject, count in subjects.items() if bound.get(subject) not in alive)
    free = await stamps.available(tx, account)
    promised = await store.promised(tx, account, batch.id)
    return BatchSurvey(
        resolved, refused, sorted(hashes), len(subjects), needed, max(free - promised, 0)
    )


def _document(
    row: RowToStart, files: _Files, documents: Mapping[bytes, str]
) -> tuple[bytes, str, bool] | None:
    """Return digest and name of the document of a row, and whether it was repaired; None if no such document exists."""
    kind, _, name = row.document.partition(":")
    if kind == "sha256":
        digest = bytes.fromhex(name)
        return (digest, documents[digest], False) if digest in documents else None
    file = files.named(name if kind == "file" else f"upload-{name}")
    return None if file is None else (file.sha256, name.rpartition("/")[2], file.is_repaired)
