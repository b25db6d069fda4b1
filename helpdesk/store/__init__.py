"""What mail cannot hold, in a database: what we last saw and planned, since when, what was sent, the journal."""
