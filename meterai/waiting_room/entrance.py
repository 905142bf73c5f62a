"""How many a web process lets in.  Pure.

A process lets in, by its share of the rate of the line, what is served within `ENTRANCE_SECONDS`: who is inside is owed
to be served.

* While no line stands in the way it lets the line stand at once for who comes beyond.  A worker looks once a second, and
  a process sees its word half a second later: a crowd of a hundred a second would have three hundred inside by then.
* While one stands, who was called and comes beyond waits for some seconds more, with the number.  People come up to
  half a minute after they were called: after a pause of seconds, or a fall of the rate, all of them come at once.
"""

# In which all who come in at once are served; a step of a visit is waited for so long.
ENTRANCE_SECONDS = 8.0


class Entrance:
    """The entrance of one line in one of so many processes; by a clock in seconds."""

    def __init__(self, processes: int) -> None:
        self._share = 1 / processes
        self._used = 0.0  # people who were let in and are not served yet, at the rate
        self._at = 0.0

    def has_room(self, rate: float, now: float) -> bool:
        """Whether one more is let in, of a line that serves so many a second."""
        rate *= self._share
        self._used = max(self._used - rate * (now - self._at), 0.0)
        self._at = now
        return self._used < max(rate * ENTRANCE_SECONDS, 1.0)

    def let_in(self) -> None:
        """One more came in."""
        self._used += 1
