"""`python -m helpdesk`."""

from helpdesk.start import main

main()
