"""The leak hunt's arithmetic: profiles over time to series, series to verdicts."""
