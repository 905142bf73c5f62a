"""Watch: the status of an installation, measured from outside and published as static files.

Promises this room keeps
  * It needs no database and no machine of the platform, and its files can be served while the platform is down.
  * The state of a component follows from measurements by a written rule.  Staff can make the shown
    state worse than the measured one, and nobody can make it better.
  * Its readings are signed, one a minute, and chained.
  * Files are replaced atomically: on a full disk the old ones stay.

Calls the platform over HTTP only.  `probes` measures, `rule` derives states, `store` keeps them, `statuspage`, `pages` and
`files` publish them, and `service` runs all of it.
"""

__all__: list[str] = []
