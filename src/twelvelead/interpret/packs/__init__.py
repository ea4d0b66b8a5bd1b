"""Criteria packs: what published criteria say, each as data."""

from twelvelead.interpret.criteria import Finding, Pack
from twelvelead.interpret.packs.aha_accf_hrs_2009 import AHA_ACCF_HRS_2009, NORMAL_KEY, normal_of
from twelvelead.interpret.packs.erb import PACK as ERB
from twelvelead.interpret.packs.udmi4 import UDMI4_PACK
from twelvelead.terms import InputError

__all__ = ["AHA_ACCF_HRS_2009", "DEFAULT", "ERB", "PACKS", "UDMI4_PACK", "combine"]


def combine(*packs: Pack) -> Pack:
    """Make one pack of several.

    Parameters
    ----------
    *packs : Pack
        The findings of each stand after those of the ones before; one that several share counts once. A normal ECG,
        where it is among them, stands last and has none of the abnormal ones of any pack.

    Returns
    -------
    Pack
        Its key and source are theirs, joined.

    Raises
    ------
    InputError
        If there is no pack, or two of them mean different things by the same key.

    Examples
    --------
    >>> both = combine(AHA_ACCF_HRS_2009, UDMI4_PACK)
    >>> both.key
    'aha_accf_hrs_2009+udmi4'
    """
    if not packs:
        msg = "combine needs at least one pack; got none. Name one of PACKS."
        raise InputError(msg)
    findings: dict[str, Finding] = {}
    for pack in packs:
        for finding in pack.findings:
            if findings.setdefault(finding.key, finding) != finding:
                msg = f"packs that are combined must agree on a finding; got two different {finding.key!r} in "
                msg += f"{', '.join(p.key for p in packs)}. Judge them one after the other."
                raise InputError(msg)
    if len(packs) > 1 and NORMAL_KEY in findings:
        del findings[NORMAL_KEY]
        findings[NORMAL_KEY] = normal_of(tuple(findings.values()))
    keys, titles, sources = ([getattr(p, name) for p in packs] for name in ("key", "title", "source"))
    return Pack("+".join(keys), "; ".join(titles), " ".join(dict.fromkeys(sources)), tuple(findings.values()))


PACKS: dict[str, Pack] = {pack.key: pack for pack in (AHA_ACCF_HRS_2009, UDMI4_PACK, ERB)}
"""The packs by their keys."""
DEFAULT = combine(AHA_ACCF_HRS_2009, UDMI4_PACK)
"""What an ECG is interpreted by unless another pack is named."""
