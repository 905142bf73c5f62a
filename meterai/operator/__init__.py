"""Operator: the legal person that runs this installation, as pages and mails name it.

Promises of this room
  * In production nothing is served unless the operator's name, address, contact, tax number, terms, privacy statement
    and security contact are set. Outside production the default of each says SPECIMEN.
  * Terms and privacy statement are at /terms and /privacy, either as links to a site of the operator or as the
    content of a text file, which is read once and escaped.
  * /.well-known/security.txt (RFC 9116) never expires while the installation runs.

Calls accounts.
"""

from meterai.operator.model import SPECIMEN, Seller
from meterai.operator.settings import OperatorSettings

__all__ = ["SPECIMEN", "OperatorSettings", "Seller"]
