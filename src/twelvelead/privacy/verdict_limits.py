"""What an audit can't tell, in plain words."""

from collections.abc import Mapping

from twelvelead.privacy.audit import LOOK_UP, Audited, Facts
from twelvelead.privacy.verdict_figures import pick


def say_limits(audited: Audited, other_attackers: Mapping[str, str]) -> tuple[str, ...]:
    """Say what the figures depend on, and what was not tried: `other_attackers`, by key and title."""
    facts = audited.facts
    row = pick(audited, LOOK_UP.key, "rank_1", audited.strongest) if audited.strongest else None
    said = []
    if row is not None:
        said.append(
            f"The attacker looked among {row['gallery']} people. Among a city’s, fewer would be found; among a "
            "ward’s, more. Whoever knows something else of a person – age, sex, a date – looks among few."
        )
    said += [_say_devices(facts), _say_apart(facts)]
    if facts.unmeasured:
        said.append(f"{len(facts.unmeasured)} recordings could not be used by every attacker; they are listed.")
    if other_attackers:
        names = ", ".join(f"{title} ({key})" for key, title in other_attackers.items())
        said.append(f"Not tried: {names}, and whatever is stronger than those here. The risk is at least what is said.")
    else:
        said.append("A stronger attacker than those here may find more. The risk is at least what is said.")
    said += [
        "The strongest attacker was chosen by the same people, which favours it a little.",
        "Use was judged by what this software measures and finds; what a cardiologist or another model would lose was "
        "not.",
        "The audit believes the names: two people under one, or one under two, would make it wrong.",
    ]
    return tuple(filter(None, said))


def _say_devices(facts: Facts) -> str:
    if facts.n_without_device == facts.n_recordings:
        return "The devices are not known: if people had devices of their own, these were recognised, too."
    if len(facts.devices) == 1 and not facts.n_without_device:
        return "All recordings are of one device; between devices people are harder to find."
    return (
        f"{len(facts.devices)} devices are known. A device is recognised, too: see the figures with impostors of the "
        "same one."
    )


def _say_apart(facts: Facts) -> str:
    if facts.days_apart is None:
        return "It is not known how many days lie between a person’s recordings; people change with the years."
    median, largest = facts.days_apart
    if largest == 0:
        return "First and second recordings are of the same day, perhaps with the same electrodes: an upper bound."
    same = "most are of the same day, perhaps with the same electrodes; " if median == 0 else ""
    return (
        f"Days between first and second recording: median {median:g}, at most {largest}; {same}people change with the "
        "years."
    )
