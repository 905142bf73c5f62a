"""How tests are shared out among processes: whole files, also after one of the processes crashed."""

from contextlib import suppress

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class WholeFiles(LoadFileScheduling):  # type: ignore[misc]  # the library says no types
    """`--dist loadfile` whose run ends, and tells the result, when a process dies in a test.

    That of the library gives back the files that were through, and the test that crashed, as if
    they waited: who gets a file with nothing left reports nothing, asks for nothing, and the run
    never ends.  Here the test that crashed has failed, and only what was not run is given back.
    """

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a process; the test in which it crashed, or None if it had nothing left."""
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
        # One that replaces another has no list of the tests yet: it is asked again when it has.
        if node in self.registered_collections:
            super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        # What cannot be sent to one that just died is its own all the same, and comes back with it.
        with suppress(OSError):
            super()._assign_work_unit(node)
