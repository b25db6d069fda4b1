"""One IMAP mailbox: the wire, finding changes, threads, and writing back."""
