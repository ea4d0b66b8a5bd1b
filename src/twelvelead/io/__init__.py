"""Everything that knows a file: waveform formats, databases, tables, models."""

from twelvelead.io.archive import Found, find_recordings, open_declared, open_found, open_recording, read
from twelvelead.io.databases import Database, is_database, load_database, recognise_database
from twelvelead.io.formats import FORMATS, Source
from twelvelead.io.formats.wfdb_header import read_header
from twelvelead.io.models import read_model, write_model
from twelvelead.io.tables import read_json, read_table, sha256, sink_table, write_json, write_table, write_text

__all__ = [
    "FORMATS",
    "Database",
    "Found",
    "Source",
    "find_recordings",
    "is_database",
    "load_database",
    "open_declared",
    "open_found",
    "open_recording",
    "read",
    "read_header",
    "read_json",
    "read_model",
    "read_table",
    "recognise_database",
    "sha256",
    "sink_table",
    "write_json",
    "write_model",
    "write_table",
    "write_text",
]
