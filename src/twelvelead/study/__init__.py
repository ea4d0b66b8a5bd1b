"""One declared study, run end to end and resumable."""
