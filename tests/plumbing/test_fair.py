"""A fair queue serves the client with the least use first, and the waiters of one client in order."""

from collections import Counter

from meterai.plumbing.fair import FairQueue


class Work:
    """Work that waits until it is cancelled."""

    is_done = False

    def cancel(self) -> None:
        self.is_done = True

    def done(self) -> bool:
        return self.is_done


Works = FairQueue[str, Work]


def filled(rank: Counter[str], *clients: str) -> tuple[Works, list[Work]]:
    queue: Works = FairQueue(rank.__getitem__)
    waiters = [Work() for _ in clients]
    for client, one in zip(clients, waiters, strict=True):
        queue.add(client, one)
    return queue, waiters


def test_client_of_the_lowest_rank_is_served_first() -> None:
    queue, waiters = filled(Counter(a=2, b=1), "a", "b", "a")
    assert queue.next() == ("b", waiters[1])
    assert queue.next() == ("a", waiters[0])
    assert queue.next() == ("a", waiters[2])
    assert queue.next() is None


def test_clients_of_one_rank_take_turns() -> None:
    queue, waiters = filled(Counter(), "a", "a", "b", "c")
    served = [queue.next() for _ in range(4)]
    assert served == [
        ("a", waiters[0]),
        ("b", waiters[2]),
        ("c", waiters[3]),
        ("a", waiters[1]),
    ]


def test_oldest_waiters_of_each_client_are_taken_up_to_a_number() -> None:
    queue, waiters = filled(Counter(), "a", "a", "b", "b")
    late = {waiters[0], waiters[2], waiters[3]}
    assert queue.take_oldest(late.__contains__, 2) == [waiters[0], waiters[2]]
    assert queue.take_oldest(late.__contains__, 5) == [waiters[3]]
    assert len(queue) == 1
