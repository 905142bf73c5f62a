"""Rules for SQL that also runs in a PostgreSQL distributed by account_id (Citus); each was found there.

* No FOR UPDATE SKIP LOCKED across accounts: such a statement goes to every machine, and rows can
  be locked only by a plan of one machine.
* No now() beside columns in written values: it differs between two machines, so Citus refuses it
  in SET beside columns, and in CASE, coalesce, RETURNING and ON CONFLICT of a change.
  A parameter or a variable is accepted.
* Joins of tables of accounts use account_id, so that their rows are on the same machine.
* Nothing is queued under the nil account: all of it would wait on one machine.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from meterai.apps.rooms import global_tables_of, owners_of_tables
from tests.tidy.sources import PACKAGE, SOURCES
from tests.tidy.statements import everything, without_words

_TABLES = frozenset(owners_of_tables())
_NOW = re.compile(r"\b(?:now|clock_timestamp|statement_timestamp)\(\)")
_CHANGE = re.compile(r"\b(?:UPDATE(?!\s+OF\b)|INSERT\s+INTO|DELETE\s+FROM)\b")
_NIL = "00000000-0000-0000-0000-000000000000"

# (rule, where, why): existing violations, and what a distributed installation would have to change.
_GROUPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "skips_locked",
        (
            "batches/store.py:_WAITING",
            "payments/store.py:TO_OPEN",
            "payments/store.py:TO_ASK",
            "payments/store.py:TO_CANCEL",
            "orders/store.py:TO_EXPIRE",
            "orders/store.py:TO_EXECUTE",
            "orders/store.py:TO_TURN",
            "collectors/store.py:TO_TAKE",
            "collectors/store.py:TO_REMIND",
            "distribution/store.py:TO_END",
            "payments/refunds/store.py:TO_TRY",
            "payments/refunds/store.py:TO_LOOK_UP",
            "payments/refunds/store.py:TO_WATCH",
            "payments/transfers/store.py:TO_SEND",
            "payments/transfers/store.py:TO_LOOK",
            "privacy/store.py:DUE",
            "stamping/store.py:_TO_RESUME",
            "documents/store.py:_FORGET",
            "webhooks/store.py:CLAIM",
            "plumbing/work/retention.py:statement",
            "drafts/store.py:_TO_EXAMINE",
        ),
        "a periodic task finds what is due of all accounts; distributed, one worker asks each machine",
    ),
    (
        "skips_locked",
        ("payment_is_elsewhere",),
        "two attempts with one payment number, which may be of two accounts",
    ),
    (
        "moves_now",
        (
            "batches/store.py:_ADD_ROWS",
            "batches/store.py:_MOVE",
            "batches/store.py:_RESERVED",
            "payments/store.py:ASKED",
            "payments/store.py:ASK_PUT_OFF",
            "payments/store.py:CANCEL_LATER",
            "payments/store.py:EXPIRE_OPENING",
            "payments/store.py:LATER",
            "payments/refunds/store.py:ANSWERED",
            "payments/refunds/store.py:ASK_NOW",
            "payments/refunds/store.py:LOOK_LATER",
            "payments/refunds/store.py:WATCH_LATER",
            "payments/refunds/store.py:WATCHED",
            "payments/transfers/store.py:TO_SEND",
            "payments/transfers/store.py:_BY_RECORD",
            "payments/transfers/store.py:_LOOKED",
            "payments/transfers/store.py:_LOOK_LATER",
            "notifications/store.py:_CLAIM",
            "plumbing/work/periodic.py:_FAILED",
            "stamping/store.py:_TO_RESUME",
        ),
        "a pause is counted by the clock of the database; a parameter would be of another machine",
    ),
    (
        "moves_now",
        (
            "audit/store.py:_TAKE_TURN",
            "reconciliation/store.py:_BEGIN",
            "payments/store.py:TAKE_OUT",
            "documents/store.py:_ADOPT_STORE",
            "documents/store.py:_ADVANCE",
            "plumbing/db/migrations.py:_APPLIED",
            "stamps/store.py:_TAKE_LEASE",
            "waiting_room/store.py:_LEASE",
            "waiting_room/store.py:_LEASE_SERIALS",
            "waiting_room/store.py:_SET_TIMES",
        ),
        "the table is of no account and not distributed",
    ),
    (
        "joins_across",
        ("payments/store.py:captured_anywhere",),
        "whether any account has a payment of this number",
    ),
    (
        "joins_across",
        ("collector_confirm",),
        "whether a deposit of any collector with this receipt is confirmed",
    ),
    (
        "joins_across",
        (
            "reconciliation/sides.py:UNMATCHED",
            "reconciliation/sides.py:PARTED",
            "reconciliation/sides.py:DIFFERING",
            "reconciliation/sides.py:_FEES",
        ),
        "a record is of no account before its payments are found; distributed, one worker asks each machine",
    ),
    (
        "joins_across",
        ("payments/invariants.py:INVARIANTS", "payments/audited.py:AUDITED"),
        "jobs of news, which are of no account, and payments that news names",
    ),
    (
        "joins_across",
        ("waiting_room/store.py:_TO_TELL",),
        "lines and turns are of no account: they are on every node",
    ),
    (
        "queues_for_nobody",
        ("payments/store.py:take",),
        "news of the bank is of no account before it is read",
    ),
    (
        "queues_for_nobody",
        (
            "accounts/store.py:ask_for_code",
            "notifications/service.py:queue_code",
        ),
        "who signs in has no account yet",
    ),
    (
        "queues_for_nobody",
        ("incidents/steps.py:review",),
        "an incident is of no account",
    ),
    (
        "queues_for_nobody",
        ("reconciliation/service.py:tell_paid_out",),
        "what the treasury is paid is of no account",
    ),
    (
        "queues_for_nobody",
        tuple(f"incidents/subscribing.py:{one}" for one in ("_queue", "_tell", "act", "ask")),
        "a subscriber to mails about incidents needs no account",
    ),
    (
        "skips_locked",
        ("incidents/store.py:_NEXT_MAILING",),
        "the table is of no account and not distributed",
    ),
)
EXCEPTIONS = {(rule, where): why for rule, places, why in _GROUPS for where in places}


def _outside(text: str, ends: str) -> str:
    """The text before the first of these marks that is outside any parentheses opened here."""
    depth = 0
    for found in re.finditer(rf"[()]|\b(?:{ends})\b", text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth < 0 or (depth == 0 and found[0] not in "()"):
            return text[: found.start()]
    return text


def _inside(text: str, opened: re.Match[str]) -> str:
    """The text between a parenthesis, with which a match ends, and its counterpart."""
    return _outside(text[opened.end() :], "(?!)")


def _assigned(change: str) -> Iterator[str]:
    """The values to which columns are set."""
    for found in re.finditer(r"\bSET\b", change):
        part, depth, start = _outside(change[found.end() :], "WHERE|FROM|RETURNING"), 0, 0
        for place, letter in enumerate(part + ","):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if letter == "," and depth == 0:
                yield part[start:place].partition("=")[2]
                start = place + 1


def _has_column(expression: str) -> bool:
    without = re.sub(r"\b\w+\s*\(|\bsecs\s*=>|%s|\{\}|''|\binterval\b|::\w+", " ", expression)
    return bool(re.search(r"\b(?![pv]_)[a-z]\w*", without))


def _moves_now(piece: str) -> bool:
    begun = _CHANGE.search(piece)
    if begun is None or not _NOW.search(piece):
        return False
    change = piece[begun.start() :]
    conflict = re.search(r"\bON CONFLICT\b(.*)", change, re.DOTALL)
    returned = re.search(r"\bRETURNING\b(.*)", change, re.DOTALL)
    folded = [
        *re.findall(r"\bCASE\b(?:(?!\bEND\b).)*\bEND\b", change, re.DOTALL),
        *(_inside(change, one) for one in re.finditer(r"(?i)\bcoalesce\(", change)),
    ]
    return (
        any(_NOW.search(one) and _has_column(one) for one in _assigned(change))
        or any(_NOW.search(one) for one in folded)
        or any(one is not None and bool(_NOW.search(one[1])) for one in (conflict, returned))
    )


def _joins_across(piece: str) -> bool:
    ends = r"(?:LEFT|RIGHT|FULL|CROSS|INNER)\b|JOIN|WHERE|GROUP BY|ORDER BY|HAVING|UNION|LIMIT|FOR UPDATE"
    of_accounts = _TABLES - global_tables_of().keys()
    for found in re.finditer(r"\bJOIN\s+\{*(\w+)", piece):
        condition = _outside(piece[found.end() :], ends)
        if found[1] in of_accounts and "account_id" not in condition:
            return True
    for found in re.finditer(r"\b(?:EXISTS|IN)\s*\((?=\s*SELECT\b)", piece):
        query = _inside(piece, found)
        if set(re.findall(r"\bFROM\s+\{*(\w+)", query)) & of_accounts and "account_id" not in query:
            return True
    listed = re.finditer(r"\bFROM\s+\{*(\w+)[*?]?\}*(?:\s+\w+)?\s*,\s*\{*(\w+)", piece)
    changed = re.finditer(
        r"\bUPDATE\s+(\w+)\b(?:(?!\bUPDATE\b|;).)*?\bFROM\s+(\w+)", piece, re.DOTALL
    )
    pairs = [{one[1], one[2]} for one in (*listed, *changed)]
    return any(pair <= of_accounts for pair in pairs) and piece.count("account_id") < 2


def broken(text: str) -> set[str]:
    """The rules that some statement breaks."""
    found: set[str] = set()
    for piece in without_words(text).split(";"):
        if "SKIP LOCKED" in piece and not re.search(r"\baccount_id = (?:%s|[pv]_\w+)", piece):
            found.add("skips_locked")
        if _moves_now(piece):
            found.add("moves_now")
        if _joins_across(piece):
            found.add("joins_across")
    if re.search(rf"\bemit\(\s*'{_NIL}|INTO (?:jobs|mails)[^;]*'{_NIL}", text):
        found.add("queues_for_nobody")
    return found


def _for_nobody() -> Iterator[str]:
    """Where Python does something in the name of no account, but writing it down for the audit."""
    for path, tree in SOURCES:
        for top in tree.body:
            for node in ast.walk(top):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
                    if any(_names_nobody(one) for one in calls):
                        yield f"{path.relative_to(PACKAGE)}:{node.name}"


def _names_nobody(call: ast.Call) -> bool:
    values = [*call.args, *(one.value for one in call.keywords)]
    named = any(isinstance(one, ast.Name) and one.id == "NOBODY" for one in values)
    return named and ast.unparse(call.func) != "trail.record"


def test_statements_can_be_distributed() -> None:
    found = {(rule, sql.where) for sql in everything() for rule in broken(sql.text)}
    found |= {("queues_for_nobody", where) for where in _for_nobody()}
    assert found - EXCEPTIONS.keys() == set()
    assert EXCEPTIONS.keys() - found == set(), "no longer needed"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("SELECT 1 FROM orders WHERE state = 'x' FOR UPDATE SKIP LOCKED", {"skips_locked"}),
        ("SELECT 1 FROM orders WHERE account_id = %s FOR UPDATE SKIP LOCKED", set()),
        ("UPDATE a SET b = now(), c = d WHERE e < now()", set()),
        ("UPDATE a SET b = now() + make_interval(secs => %s)", set()),
        ("UPDATE a SET b = c + 1, d = now() + make_interval(secs => e)", {"moves_now"}),
        ("UPDATE a SET b = least(c, now())", {"moves_now"}),
        ("UPDATE a SET b = CASE WHEN p_c THEN now() END", {"moves_now"}),
        ("UPDATE a SET b = coalesce(v_c, now())", {"moves_now"}),
        ("UPDATE a SET b = least(c, v_now)", set()),
        ("UPDATE a SET b = 1 RETURNING c < now()", {"moves_now"}),
        ("INSERT INTO a (b) VALUES (now()) ON CONFLICT (c) DO UPDATE SET b = now()", {"moves_now"}),
        ("INSERT INTO a (b) VALUES (now()) ON CONFLICT (c) DO NOTHING", set()),
        ("SELECT CASE WHEN a < now() THEN 1 END FROM b", set()),
        ("SELECT 1 FROM orders o JOIN refunds r USING (account_id, order_id)", set()),
        ("SELECT 1 FROM orders o JOIN refunds r USING (order_id)", {"joins_across"}),
        (
            "SELECT 1 FROM orders o LEFT JOIN {refunds?} r ON r.order_id = o.order_id",
            {"joins_across"},
        ),
        (
            "SELECT 1 FROM x WHERE EXISTS (SELECT 1 FROM orders o WHERE o.id = x.id)",
            {"joins_across"},
        ),
        ("SELECT 1 FROM orders o, refunds r WHERE r.order_id = o.order_id", {"joins_across"}),
        ("UPDATE stamps s SET a = 1 FROM stampings t WHERE t.id = s.id", {"joins_across"}),
        ("SELECT 1 FROM orders JOIN issuing ON true", set()),
        (f"PERFORM emit('{_NIL}', 'x', '{{}}')", {"queues_for_nobody"}),
        (f"INSERT INTO jobs (account_id) VALUES ('{_NIL}')", {"queues_for_nobody"}),
        ("-- least(a, now()) and SKIP LOCKED", set()),
    ],
)
def test_rules_find_broken_statements(text: str, rules: set[str]) -> None:
    assert broken(text) == rules
