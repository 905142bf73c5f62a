"""`meterai draw`: its output and its exit status."""

import json
from pathlib import Path

from msgspec.structs import replace

from meterai.commands import Exit
from meterai.draw.protocol.chain import hash_of
from meterai.draw.protocol.entries import lines_of
from meterai.draw.protocol.order import in_order
from meterai.draw.protocol.record import DrawRecord, RecordPartKind, begun, write
from tests.support.commands import Done, run_here
from tests.support.draw_forgeries import order_exchanged
from tests.support.draws import CHAIN, Operator, drawn_record, entries_of

ENTRIES = entries_of(100)
OPERATOR = Operator()
KEY = ("--key", OPERATOR.public_key.hex())
TRUST = ("--chain", hash_of(CHAIN))


def published(folder: Path, record: DrawRecord) -> str:
    (folder / "draw.json").write_bytes(write(record))
    (folder / "entries.txt").write_bytes(b"".join(lines_of(ENTRIES)))
    return str(folder)


def verified(folder: Path, *words: str) -> Done:
    return run_here(folder, "draw", "verify", str(folder), *words)


def test_verify_of_a_valid_draw_exits_0(tmp_path) -> None:
    record = drawn_record(ENTRIES)
    published(tmp_path, record)
    assert record.result is not None
    first = next(iter(in_order(ENTRIES, bytes.fromhex(record.result.seed)))).hex()
    done = verified(tmp_path, *KEY, *TRUST, "--entry", first)
    assert done.returncode == Exit.DONE, done
    assert done.stdout.endswith("ok  This entry has number 1 of 100.\n")
    assert verified(tmp_path, *KEY, *TRUST, "--entry", first, "--number", "2").returncode == Exit.NO
    found = json.loads(verified(tmp_path, *KEY, *TRUST, "--json").stdout)
    assert {one["judgement"] for one in found} == {"right"}


def test_verify_distinguishes_unjudged_and_wrong(tmp_path) -> None:
    published(tmp_path, drawn_record(ENTRIES))
    assert verified(tmp_path, *TRUST).returncode == Exit.UNJUDGED
    untrusted = verified(tmp_path, *KEY)
    assert untrusted.returncode == Exit.NO
    assert "NO  The beacon stand-in" in untrusted.stdout
    (tmp_path / "entries.txt").write_bytes(b"garbage\n")
    assert verified(tmp_path, *KEY, *TRUST).returncode == Exit.NO
    (tmp_path / "entries.txt").unlink()
    assert verified(tmp_path, *KEY, *TRUST).returncode == Exit.UNJUDGED
    published(tmp_path, order_exchanged().record)
    assert verified(tmp_path, *KEY, *TRUST).returncode == Exit.NO
    (tmp_path / "draw.json").write_text("{}")
    assert verified(tmp_path, *KEY).returncode == Exit.NO
    (tmp_path / "draw.json").unlink()
    assert verified(tmp_path, *KEY).returncode == Exit.USAGE


def test_verify_accepts_a_saved_copy_and_a_proof(tmp_path) -> None:
    record = drawn_record(ENTRIES)
    published(tmp_path, record)
    saved = tmp_path / "saved.json"
    saved.write_bytes(write(replace(record, parts=record.parts[:2])))
    assert verified(tmp_path, *KEY, *TRUST, "--saved", str(saved)).returncode == Exit.DONE
    saved.write_bytes(write(drawn_record(entries_of(99))))
    assert verified(tmp_path, *KEY, *TRUST, "--saved", str(saved)).returncode == Exit.NO

    listed, entry = str(tmp_path / "entries.txt"), ENTRIES[7].hex()
    proof = tmp_path / "proof.json"
    proof.write_text(run_here(tmp_path, "draw", "prove", listed, entry).stdout)
    (tmp_path / "entries.txt").rename(tmp_path / "elsewhere.txt")
    done = verified(tmp_path, *KEY, *TRUST, "--proof", str(proof))
    assert f"ok  The entry {entry} is in the closed list" in done.stdout
    missing = run_here(tmp_path, "draw", "prove", str(tmp_path / "elsewhere.txt"), "00" * 16)
    assert missing.returncode == Exit.NO


def test_control_characters_of_others_are_not_printed(tmp_path) -> None:
    hostile = "dr\x1b[2J\u202e\nok  All of it holds."
    announced = replace(drawn_record(ENTRIES).announcement, line=hostile)
    record = begun(announced, OPERATOR)
    for told in (
        record,
        replace(record, parts=(replace(record.parts[0], kind=RecordPartKind.CLOSING),)),
    ):
        published(tmp_path, told)
        for words in (("show",), ("verify", *KEY, *TRUST)):
            said = run_here(tmp_path, "draw", words[0], str(tmp_path), *words[1:])
            assert not {"\x1b", "\u202e"} & set(said.stdout + said.stderr)
            assert "\nok  All of it" not in said.stdout


def test_record_with_parties_is_refused_with_the_name_of_the_script(tmp_path) -> None:
    old = Path(__file__).parent / "with_parties"
    for command in ("verify", "show"):
        done = run_here(tmp_path, "draw", command, str(old))
        assert done.returncode == Exit.NO
        assert "docs/draw/verify_draw.py" in done.stderr
