"""The only door for input: profiles, binaries, source files."""
