"""Settings of the stand-ins."""

import msgspec

from meterai.plumbing.config import Port


class StandinSettings(msgspec.Struct, frozen=True):
    """Ports of the stand-ins; development only."""

    bank_port: Port = 0
    mail_port: Port = 0
    drand_port: Port = 0
    midtrans_port: Port = 0  # where `midtrans` is one of payment_rails
