"""Operator: the legal person that runs this installation, as pages and mails name it.

Promises this room keeps
  * Production serves nothing while its name, address, contact, tax number, terms, privacy statement
    or security contact is missing; elsewhere each says SPECIMEN.
  * Terms and privacy statement stand at /terms and /privacy, whether the operator has them on a site
    of its own or as a text file, which is read once and escaped.
  * /.well-known/security.txt (RFC 9116) never expires while we run.

Calls accounts.
"""

from meterai.operator.model import SPECIMEN, Seller
from meterai.operator.settings import OperatorSettings

__all__ = ["SPECIMEN", "OperatorSettings", "Seller"]
