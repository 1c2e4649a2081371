"""Symbols: binaries and names. Works on what fetch/ has opened, looks nothing up itself."""
