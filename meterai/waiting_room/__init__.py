"""The waiting room: who is let in, in which order, when more come than can be served.

Promises this room keeps
  * The order of a line that is drawn can be recomputed by anyone from public files, and nobody, the
    operator included, can choose it or draw again unseen (`draw`).

Calls nothing of the other rooms.
"""

__all__: list[str] = []
