"""Everything that knows a file: waveform formats, databases, tables, models."""
