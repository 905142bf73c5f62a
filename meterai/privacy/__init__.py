"""Privacy: what a person may ask about its own data (UU 27/2022), and the register of breaches.

Calls every room below by what it keeps of a person (`Room.personal`).
"""

__all__: list[str] = []
