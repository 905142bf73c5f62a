"""The stand-in for the authorities behind a seal, run beside a test."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from cryptography import x509

from standins.authority import Authority, time_stamp_root

START_SECONDS_MAX = 90.0  # a busy machine starts it slowly


class RunningAuthority:
    """Address of the stand-in, root certificate of its time-stamps, and its fault switches."""

    def __init__(self, url: str, root: x509.Certificate) -> None:
        self.url = url
        self.root = root

    @property
    def tsa_url(self) -> str:
        return f"{self.url}/tsa"

    def set_faults(self, **faults: float | bool) -> None:
        """Set fault switches. See `standins.authority.fault_switches`."""
        self._ask("POST", json.dumps(faults).encode())

    def clear(self) -> None:
        """Set every fault switch back to its default."""
        self._ask("DELETE", None)

    def _ask(self, method: str, body: bytes | None) -> None:
        request = Request(f"{self.url}/standin/faults", body, method=method)
        with urlopen(request, timeout=START_SECONDS_MAX) as answer:
            assert answer.status == 200


@contextmanager
def running_authority(directory: Path, issuers: Path) -> Iterator[RunningAuthority]:
    """Run the stand-in in a thread, since its clients block, and stop it afterwards."""
    root = x509.load_pem_x509_certificate(time_stamp_root(directory))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[Authority, str]:
        authority = Authority(directory, issuers)
        return authority, await authority.serve("127.0.0.1", 0)

    try:
        started = asyncio.run_coroutine_threadsafe(start(), loop)
        authority, url = started.result(START_SECONDS_MAX)
        try:
            yield RunningAuthority(url, root)
        finally:
            stopped = asyncio.run_coroutine_threadsafe(authority.stop(), loop)
            stopped.result(START_SECONDS_MAX)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
