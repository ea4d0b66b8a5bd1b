"""From a recording to named numbers, each with a unit, a definition and a source."""
