"""`python -m meterai`: the same as the command `meterai`."""

from meterai.apps.cli import main

main()
