"""Settings that meet the demands of production on accounts, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "sign_in_guesses": [*setting("code_tries_max", 100), *setting("codes_per_hour_max", 100)],
}
