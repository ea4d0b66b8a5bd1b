"""Measurements to statements, each with the evidence it rests on.

`case` measures a recording; `criteria` is the language in which `packs` say what must hold, `engine` decides it,
`proof` is what comes out, and `where` says where on the signal. `narrate…` puts it into words.

`claims…` and `lexicon…` read a text, `verify…` holds it against the recording, `corrupt…` makes false texts to try that
on. `reasoning_benchmark…` answers ECG-Reasoning-Benchmark.

`instruction…`, `dialects` and `gem_…` make and mark texts for language models, `language_model` lets one speak and
checks it, and `dual_…` is a small one that sees signal and picture.
"""
