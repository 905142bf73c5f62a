"""A whole instance costs six seconds of a processor to start: who starts one of its own says why."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
# File -> why the shared instance, or that of its folder, would not do.
STARTS = {
    "conftest.py": "the shared one",
    "faults/conftest.py": "its processes are killed and its bank has faults",
    "faults/test_database_dies.py": "its database is killed and frozen, and services start without one",
    "faults/test_endless_documents.py": "it is stopped and its web killed while documents are read without end",
    "faults/test_late_and_stopped.py": "its issuing is stopped, and its seals are tried again at once",
    "faults/test_payment_faults.py": "it waits half a second for the bank",
    "faults/test_truth.py": "its database is frozen, its object store and its keys are taken away",
    "flows/conftest.py": "its log must have no fault in the end, whatever was sent to it",
    "flows/test_metrics.py": "its web has two processes, and what they counted is compared exactly",
    "flows/test_passkeys.py": "is reached by a name, without which there are no passkeys",
    "flows/test_side_by_side.py": "two beside each other; one that is stopped and started again",
    "waiting_room/test_waiting_page.py": "before buying stands a line, and its web and worker are killed",
}


def starts_one(path: Path) -> bool:
    """True where a file makes an `Instance`."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Instance"
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_who_starts_an_instance_of_its_own_says_why() -> None:
    found = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if starts_one(path)}
    assert found == set(STARTS)
