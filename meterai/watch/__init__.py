"""Watch: the status of an installation, measured from outside and published as static files.

Promises this room keeps
  * It needs no database and no machine of the platform, and its files can be served while the platform is down.
  * The state of a component follows from measurements by a written rule; nobody can make it better, staff can make it worse.
  * Its readings are signed, one a minute, and chained.
  * Files are replaced whole: a disk that is full leaves the old ones.

Calls the platform over HTTP only.  Inside: `rule` and `agreement` make states of tries, `walks` tries, `store` keeps,
`statuspage`, `pages` and `files` publish, `service` does all of it in turn.
"""

__all__: list[str] = []
