"""One file per waveform format."""
