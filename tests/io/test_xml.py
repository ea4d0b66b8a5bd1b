import tracemalloc
from datetime import datetime

import numpy as np
import pytest

from twelvelead.io.formats.machine import machine_of
from twelvelead.io.formats.pieces import MOST_LEADS, Piece, assemble
from twelvelead.io.formats.xml import DEEPEST, base64_in, need_number, number_in, read_xml, root_element, text_at
from twelvelead.terms import FormatError


@pytest.fixture
def parse(tmp_path):
    def write_and_read(content):
        (tmp_path / "x.xml").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_xml(tmp_path / "x.xml")

    return write_and_read


def test_names_lose_their_prefix_and_texts_stay(parse):
    root = parse('<h:a xmlns:h="urn:x" h:type="T" b="1"><h:c> one\n two<d>three</d> four</h:c></h:a>')
    assert (root.tag, root.get("type"), root.get("b")) == ("a", "T", "1")
    assert text_at(root, "c") == "one twothree four"
    assert text_at(root, "none") == text_at(None, "c") == ""


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF-8"),
        ("utf-16", "utf-16"),
        ("latin-1", "ISO-8859-1"),
        ("cp1252", "windows-1252"),
        ("utf-8-sig", "utf-8"),
    ],
)
def test_every_usual_encoding_is_read(encoding, declared, parse):
    assert parse(f'<?xml version="1.0" encoding="{declared}"?>\n<a>Müller</a>'.encode(encoding)).text == "Müller"


@pytest.mark.parametrize(("encoding", "text"), [("gb2312", "窦性心律"), ("shift_jis", "洞調律"), ("euc-kr", "동리듬")])
def test_encodings_of_several_bytes_are_read(encoding, text, parse):
    assert parse(f'<?xml version="1.0" encoding="{encoding}"?><a>{text}</a>'.encode(encoding)).text == text
    with pytest.raises(FormatError, match=f"must be in {encoding}, as it says; got other bytes at byte 5"):
        parse(f'<?xml version="1.0" encoding="{encoding}"?><a>'.ljust(52).encode() + b"\xff\xff</a>")


def test_a_declaration_that_was_left_over_is_no_obstacle(parse):
    assert parse('<?xml version="1.0" encoding="utf-16"?><a>ü</a>').text == "ü"
    assert parse('<?xml version="1.0" encoding="utf-8"?><a>ü</a>'.encode("utf-16")).text == "ü"
    assert parse('<?xml version="1.0" encoding="utf-16"?><a>ü</a>'.encode("utf-16-be")).text == "ü"
    with pytest.raises(FormatError, match=r"must be in utf-16-le, as it says; got other bytes at byte 12\."):
        parse("<a>üü".encode("utf-16") + b"\0")


def test_a_bare_document_type_is_read_over(parse):
    assert parse('<!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG/>').tag == "RestingECG"
    assert parse('<!DOCTYPE a PUBLIC "-//x//y" "http://localhost:9/none.dtd"><a/>').tag == "a"


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]><a/>',
        '<!DOCTYPE a [<!ATTLIST b x CDATA "much">]><a><b/></a>',
    ],
)
def test_declarations_are_refused(content, parse):
    with pytest.raises(FormatError, match=r"declare nothing of its own.* at line 1, column 12 of x\.xml"):
        parse(content)


def test_entities_are_refused_and_characters_are_not(parse):
    with pytest.raises(FormatError, match=r"no entities of its own; got 'foo' at line 1"):
        parse('<!DOCTYPE a SYSTEM "a.dtd"><a>&foo;</a>')
    with pytest.raises(FormatError, match="well-formed; got 'undefined entity'"):
        parse("<a>&foo;</a>")
    assert parse("<a>&lt;&#65;</a>").text == "<A"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<a>\n<b>\n</a>", "well-formed; got 'mismatched tag' at line 3, column 2 of x.xml"),
        ("", "'no element found' at line 1"),
        ("<a/>x", "'junk after document element' at line 1, column 4"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', "LookupError: unknown encoding"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "multi-byte encodings"),
    ],
)
def test_what_is_amiss_is_told_with_its_place(content, message, parse):
    with pytest.raises(FormatError, match=message):
        parse(content)


def test_depth_is_bounded_while_reading(parse):
    assert parse("<a>" * DEEPEST + "</a>" * DEEPEST).tag == "a"
    with pytest.raises(FormatError, match="at most 100 deep; got more at line 1, column 300"):
        parse("<a>" * 100_000)


def test_a_large_file_and_many_elements_are_refused(parse, monkeypatch):
    monkeypatch.setattr("twelvelead.io.formats.xml.MOST", 10)
    assert len(parse("<a>" + "<b/>" * 9 + "</a>")) == 9
    with pytest.raises(FormatError, match="at most 10 elements"):
        parse("<a>" + "<b/>" * 10 + "</a>")
    monkeypatch.setattr("twelvelead.io.formats.xml.LARGEST", 10)
    with pytest.raises(FormatError, match=r"at most 10 bytes; got 11 in x\.xml"):
        parse("<a>xxxx</a>")


@pytest.mark.parametrize(
    "content",
    [
        '<a xmlns:p="' + "u" * 100_000 + '">' + "".join(f"<p:a{i}/>" for i in range(20_000)) + "</a>",
        '<a xmlns:p="' + "u" * 100_000 + '" ' + " ".join(f'p:a{i}=""' for i in range(20_000)) + "/>",
        "<a>" + "<b/>" * 75_000 + "</a>",
        "<a>" + "&#65;" * 60_000 + "</a>",
    ],
    ids=["long namespace", "long namespace of attributes", "many elements", "many characters"],
)
def test_no_small_file_grows_large(content, parse):
    # Where an address became part of every name, the first would take 2 GB.
    tracemalloc.start()
    parse(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_numbers_and_base64_are_read_strictly(tmp_path):
    assert [number_in(t) for t in ("1", " -0.5 ", ".5", "5.", "+1e2", "1e-3")] == [1, -0.5, 0.5, 5, 100, 0.001]
    odd = ("", None, "*", "nan", "inf", "1_0", "0x1", "1,5", "1e999", "1" * 31, "--1", "٣")
    assert [number_in(t) for t in odd] == [None] * len(odd)
    assert need_number("5", "five", tmp_path) == 5
    with pytest.raises(FormatError, match=r"five must be a number; got 'x' in f\.xml"):
        need_number("x", "five", tmp_path / "f.xml")
    with pytest.raises(FormatError, match="five must be a number; got none"):
        need_number(None, "five", tmp_path / "f.xml")
    assert base64_in(" AQ\n I= ", "it", tmp_path) == b"\x01\x02"
    for text in ("AQ=", "A!==", "ü"):
        with pytest.raises(FormatError, match="it must be Base64"):
            base64_in(text, "it", tmp_path)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<?xml version='1.0'?><!DOCTYPE RestingECG SYSTEM 'restecg.dtd'>\n<RestingECG>", "RestingECG"),
        ("<?xml version='1.0'?><restingecgdata a='1'>".encode("utf-16"), "restingecgdata"),
        (b"\xef\xbb\xbf<!-- <x> --><hl7:AnnotatedECG\n", "AnnotatedECG"),
        (b"{}", None),
    ],
)
def test_the_root_is_named_from_the_beginning(head, name):
    assert root_element(head) == name


# --- what devices say -------------------------------------------------------------------------------------------------


def test_numbers_that_no_measurement_can_be_are_left_out():
    given = {"pr_interval_ms": 0.0, "qt_interval_ms": 32767.0, "heart_rate_bpm": -1.0, "p_axis_deg": 999.0}
    assert machine_of(given | {"t_axis_deg": 0.0, "qrs_axis_deg": 300.0, "qtc_ms": None}).measurements == {
        "t_axis_deg": 0.0,
        "qrs_axis_deg": -60.0,
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Confirmed by Garg, Ruchira M.D.", "Confirmed"),
        ("Electronically signed by: A B on 1/2/2020", "Electronically signed"),
        ("CONFIRMED BY: SMITH", "CONFIRMED"),
        ("Referred by:  Self", "Referred"),
        ("Sinus  rhythm\nnormal", "Sinus rhythm normal"),
        ("Called Dr. Doe about JANE DOE-ROE, 4711", "Called Dr. … about … …-ROE, …"),
        ("ST elevation, suggested by doeing", "ST elevation, suggested by doeing"),
    ],
)
def test_statements_name_nobody(text, kept):
    assert machine_of({}, [text, "", "  "], people=["Doe", "Jane", "4711", "", "A"]).statements == (kept,)


# --- pieces -----------------------------------------------------------------------------------------------------------


def piece(lead, values, first=0):
    return Piece(lead, np.array(values, dtype=np.float32), 0.5, first)


def test_pieces_lie_where_they_begin(tmp_path):
    start = datetime(2020, 1, 2)
    pieces = [piece("I", [1, 2], 0), piece("II", [3, 4], 2), piece("I", [5], 3), piece("I", [6], 1)]
    recording, steps = assemble(pieces, 250, tmp_path / "x.xml", start=start)
    nan = np.nan
    np.testing.assert_array_equal(recording.signal, [[1, 2, nan, 5], [nan, nan, 3, 4], [nan, 6, nan, nan]])
    assert (recording.leads, recording.fs, recording.id, recording.start) == (("I", "II", "I 2"), 250, "x", start)
    assert steps == {"I": 0.5, "II": 0.5, "I 2": 0.5}


@pytest.mark.parametrize(
    ("pieces", "fs", "message"),
    [
        ([], 500, "must hold samples of a lead in a unit of voltage; got none in x.xml"),
        ([piece("I", [])], 500, "must hold samples"),
        ([piece("I", [1])], 0, "between 0 and 100000 Hz; got 0"),
        ([piece("I", [1])], 2e5, "between 0 and 100000 Hz; got 200000"),
        ([piece("I", [1, 2]), piece("II", [1], 4)], 500, "lead II must begin within the recording; got sample 4 of"),
        ([piece("I", [1], -1)], 500, "got sample -1"),
        ([piece(f"L{n}", [1]) for n in range(MOST_LEADS + 1)], 500, "at most 64 leads; got 65"),
        ([piece("I", [1])] * (MOST_LEADS + 2), 500, "at most 64 leads; got 65"),
    ],
)
def test_what_can_be_no_recording_is_refused(pieces, fs, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        assemble(pieces, fs, tmp_path / "x.xml")
