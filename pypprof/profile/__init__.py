"""Profile data: the columnar model, its formats, merging."""
