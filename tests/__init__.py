"""The tests, and the fakes and private servers that they play on."""
