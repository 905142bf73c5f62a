"""Pages of the proof: the outcomes of `proof`, as Markdown without dates."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scripts.judges import Verdict, versions

CPU_SECONDS_MAX = 2.0  # for inspecting and sealing one file, however damaged
NAMES_MAX = 12  # of files in one cell; a longer list is not read
WHY_CHARACTERS_MAX = 200

HEAD = """# The proof of the sealing engine

Written by `make proof` (`.venv/bin/python -m scripts.proof [FOLDER ...]`).  Real files by others
are taken in and sealed with two stamps (one on the last page, one on the first), a broken unsigned
file is mended first.  Every output is judged by our verifier and by programs we did not write:

* **our verifier**: the verdict is `genuine`.
* **pyHanko**: every seal of ours is valid by its default rules, later changes included.
* **pdfsig**: every seal of ours is valid, and the last covers the whole file.
* **qpdf**: `qpdf --check` finds nothing worse than before sealing.
* **mutool**: every seal of ours holds, and the document is unchanged since the last.
* **earlier signatures**: what pdfsig says of signatures that were there before has not changed.
* **stamps seen**: drawn by pdftoppm before and after, the page has changed within each stamp's
  rectangle, and no dot outside.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one file.

    `word` is `sealed`, `repaired` (sealed after a repair), `refused` or `raised`; `code` and `why` name the refusal or
    exception. `judged` are the verdicts of all judges by name.
    """

    kind: str
    name: str
    word: str
    code: str = ""
    why: str = ""
    cpu_seconds: float = 0.0
    is_smaller: bool = False
    judged: dict[str, Verdict] = field(default_factory=dict)


def document(outcomes: Sequence[Outcome]) -> str:
    """Return the whole file."""
    chapters = [HEAD, _tools(), *_results(outcomes), *_judges(outcomes)]
    chapters += [*_objections(outcomes), *_refusals(outcomes)]
    return "\n".join(chapters)


def faults(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield forbidden outcomes: exceptions, seals that we do not find genuine, slow files."""
    for one in outcomes:
        where = f"{one.kind}/{one.name}"
        if one.word == "raised":
            yield f"{where}: {one.why}"
        elif one.cpu_seconds > CPU_SECONDS_MAX:
            yield f"{where}: {one.cpu_seconds:.1f} s of processor time"
        ours = one.judged.get("our verifier")
        if ours is not None and ours.word != "content":
            yield f"{where}: our verifier: {ours.why}"


def _tools() -> str:
    found = ", ".join(f"{name} {number}" for name, number in versions().items())
    return f"Judged with {found}.\n"


def _kinds(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    kinds: dict[str, list[Outcome]] = {}
    for one in outcomes:
        kinds.setdefault(one.kind, []).append(one)
    return kinds


def _results(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## What came of them\n"
    yield "| kind | files | sealed | repaired and sealed | refused | exceptions | slowest, CPU s |"
    yield "|---|---|---|---|---|---|---|"
    for kind, ones in _kinds(outcomes).items():
        words = Counter(one.word for one in ones)
        codes = Counter(one.code for one in ones if one.word == "refused")
        refused = ", ".join(f"`{code}` {count}" for code, count in sorted(codes.items())) or "0"
        # Rounded up, so that two runs write the same text.
        slowest = math.ceil(max(one.cpu_seconds for one in ones) * 2) / 2
        yield (
            f"| {kind} | {len(ones)} | {words['sealed']} | {words['repaired']} | {refused} | "
            f"{words['raised']} | under {slowest:.1f} |"
        )
    smaller = [f"{one.kind}/{one.name}" for one in outcomes if one.is_smaller]
    if smaller:
        yield "\nWith one stamp of the smallest size, since the page holds no more: " + _named(
            smaller
        )
    yield ""


def _judges(outcomes: Sequence[Outcome]) -> Iterator[str]:
    names = list(next((one.judged for one in outcomes if one.judged), {}))
    yield "## What the judges say of the outputs\n"
    yield f"| kind | outputs | {' | '.join(names)} |"
    yield f"|---|---|{'---|' * len(names)}"
    for kind, ones in _kinds(outcomes).items():
        judged = [one.judged for one in ones if one.judged]
        cells = []
        for name in names:
            words = Counter(each[name].word for each in judged)
            cells.append("missing" if words["missing"] else f"{words['content']}")
        yield f"| {kind} | {len(judged)} | {' | '.join(cells)} |"
    yield ""


def _objections(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## Every objection, and why\n"
    rows = [
        f"| {one.kind}/{one.name} | {name} | {_cell(said.why)} |"
        for one in outcomes
        for name, said in one.judged.items()
        if said.word == "objects"
    ]
    rows += [
        f"| {one.kind}/{one.name} | exception | {_cell(one.why)} |"
        for one in outcomes
        if one.word == "raised"
    ]
    if rows:
        yield "| file | judge | why |\n|---|---|---|"
    yield from rows or ["None."]
    yield ""


def _refusals(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## Every refusal, and what was repaired\n"
    yield "| kind | refusal | why | files |\n|---|---|---|---|"
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in outcomes:
        if one.word == "refused":
            groups.setdefault((one.kind, one.code, _cell(one.why)), []).append(one.name)
        if one.word == "repaired":
            groups.setdefault((one.kind, "", "repaired by qpdf, then sealed"), []).append(one.name)
    for (kind, code, why), names in sorted(groups.items()):
        yield f"| {kind} | {f'`{code}`' if code else ''} | {why} | {_named(names)} |"
    yield ""


def _named(names: Sequence[str]) -> str:
    rest = len(names) - NAMES_MAX
    return ", ".join(names[:NAMES_MAX]) + (f" and {rest} more" if rest > 0 else "")


def _cell(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= WHY_CHARACTERS_MAX else f"{line[:WHY_CHARACTERS_MAX]}…"
