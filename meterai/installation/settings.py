"""Settings of the stand-ins."""

import msgspec

from meterai.plumbing.config import Port


class StandinSettings(msgspec.Struct, frozen=True):
    """Ports of the stand-ins, for development only; 0: any free port."""

    bank_port: Port = 0
    mail_port: Port = 0
    drand_port: Port = 0
    midtrans_port: Port = 0  # used if `midtrans` is one of payment_rails
