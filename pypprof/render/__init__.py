"""Renderers: data to the bytes of one format."""
