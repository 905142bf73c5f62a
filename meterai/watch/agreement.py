"""Agreement of several watchers by majority; pure."""

from collections.abc import Sequence

from meterai.kit.components import ComponentState
from meterai.plumbing.readings import majority_of


def agreed(
    last: ComponentState, votes: Sequence[ComponentState | None], watchers: int
) -> ComponentState | None:
    """The state that a majority of all `watchers` holds; None where fewer than one measured the component.

    `votes` are those that could be heard, None of one that does not measure.  The state gets worse as far as a majority
    says that it is at least so bad, and better as far as a majority says that it is no worse; else it stays `last`.
    So a minority that lies or is cut off changes nothing.
    """
    heard, needed = [one for one in votes if one is not None], majority_of(watchers)
    if len(heard) < needed:
        return None
    no_better = max(one for one in ComponentState if sum(vote >= one for vote in heard) >= needed)
    no_worse = min(one for one in ComponentState if sum(vote <= one for vote in heard) >= needed)
    return min(max(last, no_better), no_worse)
