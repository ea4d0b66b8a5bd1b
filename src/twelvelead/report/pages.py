"""HTML pages from templates; every text in them is escaped."""

import jinja2
from markupsafe import Markup

from twelvelead.report.wording import first_capital


def render(template: str, **context: object) -> str:
    """Fill in a template of this room.

    Parameters
    ----------
    template : str
        Its name.
    **context
        What it needs; a name that is missing is an error.
    """
    loader = jinja2.PackageLoader("twelvelead.report", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["drawing"] = Markup  # for drawings only: report.svg has escaped every text in them
    environment.filters["first_capital"] = first_capital
    return environment.get_template(template).render(context)
