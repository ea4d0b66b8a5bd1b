"""XML of devices: read with bounds, and without anything that reaches outside the document."""

import base64
import binascii
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from twelvelead.terms import FormatError

LARGEST, DEEPEST, MOST = 256 << 20, 100, 1_000_000
"""Bytes of a file, elements within one another, and elements in all, that are read."""

_ROOT = re.compile(r"<(?![?!])(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["'][^>]{0,200}\?>""")
_NUMBER = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?", re.ASCII)
# What the parser can't decode by itself, as devices of East Asia write it.
_SEVERAL_BYTES = {"gb2312", "gbk", "gb18030", "big5", "shift_jis", "shift-jis", "euc-jp", "euc-kr", "cp949"}


def root_element(head: bytes) -> str | None:
    """Name the root element of a document, without its prefix; None where the beginning is no XML.

    Parameters
    ----------
    head : bytes
        The document's beginning, in UTF-8, UTF-16 or any encoding that agrees with ASCII in names.

    Examples
    --------
    >>> root_element(b'<?xml version="1.0"?><!-- <a> --><RestingECG>')
    'RestingECG'
    >>> root_element(b"12,5")
    """
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "latin-1")
    text = head.decode(encoding, errors="replace").lstrip("\ufeffï»¿ \t\r\n")
    if not text.startswith("<"):
        return None
    found = _ROOT.search(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    return found[1] if found else None


def read_xml(path: Path) -> Element:
    """Read an XML document whole.

    Parameters
    ----------
    path : Path
        The file: UTF-8, UTF-16, Latin-1 or another encoding that its declaration names.

    Returns
    -------
    Element
        The root. Elements and attributes are named without their prefix.

    Raises
    ------
    FormatError
        If the document is not well-formed, which says the line and column; if it declares entities or anything else of
        its own, of which a few bytes can become many; or if it is larger or deeper than `LARGEST`, `DEEPEST`, `MOST`.

    Notes
    -----
    A document type without declarations of its own, such as the ``<!DOCTYPE RestingECG SYSTEM "restecg.dtd">`` of MUSE,
    is read over: nothing is fetched. Namespaces are not resolved, since their addresses become part of every name.
    """
    size = path.stat().st_size
    if size > LARGEST:
        msg = f"an XML file must have at most {LARGEST} bytes; got {size} in {path.name}. Split the recording."
        raise FormatError(msg)
    return _parse(_decodable(path.read_bytes(), path), path)


def _decodable(content: bytes, path: Path) -> bytes:
    """Recode what the parser would refuse for its encoding alone, and drop the declaration that is then wrong."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "")
    if not encoding:
        content = content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
        declared = _DECLARED.match(content[:500])
        encoding = declared[1].decode("ascii").lower() if declared else ""
        if encoding.startswith("utf-16"):  # left over from before somebody saved the file as UTF-8
            encoding = "utf-8"
        elif encoding not in _SEVERAL_BYTES:
            return content
    try:
        recoded = content.decode(encoding).lstrip("\ufeff").encode()
    except UnicodeDecodeError as error:
        msg = f"{path.name} must be in {encoding}, as it says; got other bytes at byte {error.start}. "
        msg += "Export the file again."
        raise FormatError(msg) from error
    wrong = _DECLARED.match(recoded[:500])
    return recoded[wrong.end() :] if wrong else recoded


def _parse(content: bytes, path: Path) -> Element:
    """Parse in one go: what is fed in parts, the parser begins anew with each part."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.expatreader import create_parser

    parser = create_parser(forbid_dtd=True, forbid_entities=True, forbid_external=True)

    def refuse(what: str) -> FormatError:
        where = f"line {parser.getLineNumber()}, column {parser.getColumnNumber()} of {path.name}"
        return FormatError(f"{what} at {where}. Export the file again.")

    def document_type(_name: str, _system: str, _public: str, has_declarations: int) -> None:
        if has_declarations:
            raise refuse("a device's XML must declare nothing of its own; got declarations in its document type")

    def external(context: str | None, _base: str, _system: str, _public: str) -> int:
        if context is not None:
            raise refuse("a device's XML must use no entities; got one of another file")
        return 1  # the document type's own file: as good as read, and empty

    parser.defused_start_doctype_decl = document_type
    parser.defused_external_entity_ref_handler = external
    builder = _Builder(refuse)
    parser.setContentHandler(builder)
    try:
        parser.feed(content)
        parser.close()
        return builder.tree.close()
    except FormatError:
        raise
    except DefusedXmlException as error:
        what = f"a device's XML must declare no entities; got {type(error).__name__}"
        raise refuse(what) from error
    except SAXException as error:
        raise refuse(f"an XML file must be well-formed; got {str(error.getMessage())[:100]!r}") from error
    except Exception as error:  # an encoding that the document names may fail in ways of its own
        raise refuse(f"an XML file must be readable; got {type(error).__name__}: {str(error)[:100]}") from error


class _Builder(ContentHandler):
    """Builds the tree, within bounds."""

    def __init__(self, refuse: Callable[[str], FormatError]) -> None:
        super().__init__()
        self.tree = TreeBuilder()
        self._refuse = refuse
        self._depth = self._count = 0

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: ANN401, N802, RUF100 - the parser's own type and name
        self._depth += 1
        self._count += 1
        if self._depth > DEEPEST:
            raise self._refuse(f"elements must lie at most {DEEPEST} deep; got more")
        if self._count > MOST:
            raise self._refuse(f"a document must have at most {MOST} elements; got more")
        self.tree.start(_local(name), {_local(key): value for key, value in attrs.items()})

    def endElement(self, name: str) -> None:  # noqa: N802, RUF100
        self._depth -= 1
        self.tree.end(_local(name))

    def characters(self, content: str) -> None:
        self.tree.data(content)

    def skippedEntity(self, name: str) -> None:  # noqa: N802, RUF100
        raise self._refuse(f"a device's XML must use no entities of its own; got {name[:40]!r}")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def text_at(element: Element | None, path: str) -> str:
    """Give the text of the first element at a path, blanks between words made one; empty where there is none.

    Parameters
    ----------
    element : Element or None
        From where the path leads.
    path : str
        Such as ``TestDemographics/AcquisitionDate``.
    """
    found = None if element is None else element.find(path)
    return "" if found is None else " ".join("".join(found.itertext()).split())


def number_in(text: str | None) -> float | None:
    """Read a finite decimal number; None where the text is anything else.

    Examples
    --------
    >>> [number_in(t) for t in (" 4.88 ", "-3e2", "", "*", "nan", "1_0", "9" * 400)]
    [4.88, -300.0, None, None, None, None, None]
    """
    text = (text or "").strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def need_number(text: str | None, what: str, path: Path) -> float:
    """Read a number that must be there.

    Parameters
    ----------
    text : str or None
        What is there.
    what : str
        Which element or attribute it is, for the message.
    path : Path
        The file, for the message.

    Raises
    ------
    FormatError
        If it is no finite decimal number.
    """
    number = number_in(text)
    if number is None:
        got = repr((text or "").strip()[:40]) if (text or "").strip() else "none"
        msg = f"{what} must be a number; got {got} in {path.name}. Export the file again."
        raise FormatError(msg)
    return number


def base64_in(text: str, what: str, path: Path) -> bytes:
    """Decode Base64, whatever blanks and line breaks it has.

    Raises
    ------
    FormatError
        If it is none.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        msg = f"{what} must be Base64; got {len(text)} characters that are not ({error}) in {path.name}. "
        msg += "Export the file again."
        raise FormatError(msg) from error
