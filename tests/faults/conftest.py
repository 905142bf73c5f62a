"""The instance whose processes are killed and whose bank gets faults. All tests of this folder share it."""

from collections.abc import Iterator

import pytest

from tests.support.inside import Inside
from tests.support.instance import Instance


@pytest.fixture(scope="package")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance whose processes are killed, and whose bank gets faults."""
    settings = {"METERAI_SEAL_LEASE_SECONDS": "1", "METERAI_BATCH_LEASE_SECONDS": "3"}
    with Instance(tmp_path_factory.mktemp("fragile"), **settings) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


@pytest.fixture
def inside(fragile: Inside) -> Iterator[Inside]:
    """The instance. Afterwards everything is at rest and the money is accounted for."""
    yield fragile
    fragile.instance.bank.clear_faults()
    fragile.until("no job is left", lambda: not fragile.rows("SELECT 1 FROM jobs"))
    fragile.assert_money_is_accounted_for()
