"""Distribution of tests among processes: whole files, even after a process crashed."""

from contextlib import suppress

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class WholeFiles(LoadFileScheduling):  # type: ignore[misc]  # the library says no types
    """`--dist loadfile` whose run ends, with a result, when a process dies in a test.

    The library's own version puts finished files and the crashed test back into the queue. A process that gets
    a file with nothing left reports nothing and requests nothing, so that the run never ends. Here the crashed
    test counts as failed, and only tests that did not run are put back.
    """

    def remove_node(self, node: WorkerController) -> str | None:
        """Remove a process. Return the test in which it crashed, or None if it had no test left."""
        files = self.assigned_work.pop(node)
        unfinished = {name: tests for name, tests in files.items() if not all(tests.values())}
        if not unfinished:
            return None
        begun: dict[str, bool] = next(iter(unfinished.values()))
        crashed = next(test for test, is_done in begun.items() if not is_done)
        begun[crashed] = True
        self.workqueue.update(
            {name: tests for name, tests in unfinished.items() if not all(tests.values())}
        )
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        # A replacement process has no list of the tests yet. It is scheduled again once it has one.
        if node in self.registered_collections:
            super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        # Work that cannot be sent to a process that just died stays assigned to it, and is put back with it.
        with suppress(OSError):
            super()._assign_work_unit(node)
