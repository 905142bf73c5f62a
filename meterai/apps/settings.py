"""Every setting there is: the sections of the rooms, in the order in which they are shown."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from meterai.accounts import AccountSettings
from meterai.documents import DocumentSettings
from meterai.notifications import NotificationSettings
from meterai.orders import OrderSettings
from meterai.payments import PaymentSettings
from meterai.plumbing import config
from meterai.plumbing.config import Configuration, Port, ProcessSettings, Sections, Settings
from meterai.stamping import StampingSettings


class StandinSettings(msgspec.Struct, frozen=True):
    """Where the stand-ins listen; development only."""

    bank_port: Port = 0
    mail_port: Port = 0


SECTIONS: Sections = (
    ProcessSettings,
    OrderSettings,
    DocumentSettings,
    StampingSettings,
    PaymentSettings,
    NotificationSettings,
    AccountSettings,
    StandinSettings,
)


def load(
    options: Mapping[str, object] | None = None, *, config_file: Path | None = None
) -> Configuration:
    """The settings in force.  Refuses `ConfigurationWrong`."""
    return config.load(SECTIONS, options, config=config_file)


def settings_of(**values: object) -> Settings:
    """Settings with these values and defaults.  Refuses `ConfigurationWrong`."""
    return config.settings_of(SECTIONS, **values)
