"""`python -m counterfeit` is the command `counterfeit`."""

from counterfeit.cli import main

main()
