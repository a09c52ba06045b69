"""Which sites a formal notice calls, seen from the area of whoever publishes it: a list by name before words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from storage.directory import Directory
from storage.models import Unit
from workflows.meeting_scope import in_area, named_sites, ordered, wanted

LISTED = 2
"""From so many sites on, names are a list of those meant; a single one may stand in any sentence."""


def sites_of(org: Directory, area: Unit, paper: Mapping[str, Any], systems: Sequence[str]) -> list[str]:
    """Sites of the area that the paper names or means, higher tiers first; empty when it does not say."""
    for text in (paper["listed"], paper["scope"]):
        if len(named := _named(org, area, text)) >= LISTED:
            return ordered(org, named)
    for text in (paper["scope"], paper["greeted"]):
        if meant := wanted(org, area, text, systems):
            return ordered(org, meant)
    if named := _named(org, area, paper["scope"]):
        return named
    return ordered(org, wanted(org, area, paper["name"], systems))


def _named(org: Directory, area: Unit, text: str) -> list[str]:
    lines = re.split(r"[\n\t]", text)
    return in_area(org, area, list(dict.fromkeys(site for line in lines for site in named_sites(org, line))))
