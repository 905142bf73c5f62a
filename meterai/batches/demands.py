"""Settings of batches that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD, TIME, Demand

DEMANDS: tuple[Demand, ...] = ()
UNDEMANDED: Mapping[str, str] = {
    "batch_rows_max": LOAD,
    "batch_bytes_max": LOAD,
    "batches_per_account_max": LOAD,
    "batch_chunk_rows": LOAD,
    "batch_turn_seconds": TIME,
    "batch_lease_seconds": TIME,
    "batch_open_days": TIME,
    "batch_waits_days": TIME,
}
