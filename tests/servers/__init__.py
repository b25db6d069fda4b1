"""Private servers for the tests: each starts on a free loopback port and dies with the session."""
