"""XML of devices: read with bounds, and without anything that reaches outside the document."""

import re

_ROOT = re.compile(r"<(?![?!])(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))


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
