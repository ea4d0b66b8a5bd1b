"""Which item of the TRIPOD+AI statement is answered where in the report, and which only the authors can answer."""

from dataclasses import dataclass

from twelvelead.validate import RULES


@dataclass(frozen=True)
class Item:
    """One item of the statement.

    Parameters
    ----------
    number : str
        Item and sub-item.
    topic : str
        What it asks for, in our words.
    where : str
        Anchors of the sections that answer it, separated by blanks; empty where none does.
    note : str
        What is left to the authors, or why the item does not apply.
    codes : str
        Codes of our rules that look at it.
    """

    number: str
    topic: str
    where: str
    note: str = ""
    codes: str = ""


_AUTHORS = "For the authors."

ITEMS = (
    Item("1", "Title names the study as one that develops or evaluates a prediction model", "summary"),
    Item("2", "Abstract by the statement's list for abstracts", "summary", "The summary is a draft; for the authors."),
    Item("3a", "Healthcare context, and why the model is wanted", "", _AUTHORS),
    Item("3b", "Intended population, users and place in the care pathway", "", _AUTHORS),
    Item("3c", "Known health inequalities between groups of people", "", _AUTHORS),
    Item("4", "Objectives: development, evaluation, or both", "summary methods"),
    Item("5a", "Sources of data, and why they represent the population", "methods", "Representativeness: authors."),
    Item("5b", "Dates of data collection", "", "Given by the database; for the authors."),
    Item("6a", "Setting and number of centres", "methods", "The database is named; its centres: authors."),
    Item("6b", "Eligibility criteria", "methods participants"),
    Item("6c", "Treatments received", "", "Treatments are not read from the databases; for the authors."),
    Item("7", "Data preparation and quality checks, alike in all groups", "participants methods"),
    Item("8a", "Outcome, its time horizon, how and when assessed", "methods"),
    Item("8b", "Qualification of those who assessed the outcome subjectively", "", "As the database states; authors."),
    Item("8c", "Blinding of the outcome assessment", "", "As the database states; for the authors."),
    Item("9a", "Choice of the initial predictors", "methods"),
    Item("9b", "Definition of all predictors, how and when measured", "methods", "Definitions: CATALOGUE in the docs."),
    Item("9c", "Qualification of those who assessed predictors subjectively", "", "Not applicable: software measures."),
    Item("10", "How the study size was arrived at", "participants", "All eligible recordings; adequacy: authors."),
    Item("11", "Missing data and how they were handled", "participants methods"),
    Item("12a", "How data were used: development and evaluation", "methods"),
    Item("12b", "How predictors entered the analysis", "methods"),
    Item("12c", "Type of model, all building steps, hyper-parameters, internal validation", "methods"),
    Item("12d", "Heterogeneity across clusters", "subgroups", "Age, sex; site and race where the database has them."),
    Item("12e", "Performance measures and plots, with reasons", "methods performance"),
    Item("12f", "Model updating, such as recalibration", "methods", "For show only: the models that are kept stay."),
    Item("12g", "How predictions were computed for evaluation", "methods provenance"),
    Item("13", "Class imbalance, and what was done about it", "methods", "Nothing was resampled or weighted."),
    Item("14", "Approaches to fairness", "subgroups", "Differences are tested; nothing was adjusted for them."),
    Item("15", "Output of the model: probabilities or classes, and thresholds", "methods"),
    Item("16", "Differences between development and evaluation data", "participants"),
    Item("17", "Ethical approval and consent", "", _AUTHORS),
    Item("18a", "Funding", "", _AUTHORS),
    Item("18b", "Conflicts of interest", "", _AUTHORS),
    Item("18c", "Protocol", "provenance", "The declared study; whether it was published before: authors."),
    Item("18d", "Registration", "", _AUTHORS),
    Item("18e", "Availability of data", "provenance", "Inputs are identified by hash; access: authors."),
    Item("18f", "Availability of code", "provenance"),
    Item("19", "Patient and public involvement", "", _AUTHORS),
    Item("20a", "Flow of participants, with and without the outcome", "participants"),
    Item("20b", "Characteristics overall and by data source, with missing data", "participants"),
    Item("20c", "Comparison of predictors and outcome between development and evaluation", "participants"),
    Item("21", "Numbers of participants and events in each analysis", "performance"),
    Item("22", "The full model, so that it can be used", "targets provenance", "Files in models/."),
    Item("23a", "Performance with confidence intervals, also in key subgroups", "performance subgroups"),
    Item("23b", "Heterogeneity of performance across clusters", "subgroups", "As 12d."),
    Item("24", "Results of model updating", "recalibration", "The models that are kept were not updated."),
    Item("25", "Interpretation of the main results, fairness included", "summary", "A draft; for the authors."),
    Item("26", "Limitations and their effects", "limits", "What the software can know; the rest: authors."),
    Item("27a", "Poor or unavailable input data at the time of use", "participants", "Refusals with reasons."),
    Item("27b", "Whether users must interact with input or model, and what expertise they need", "", _AUTHORS),
    Item("27c", "Next steps for research, applicability and generalisability", "", _AUTHORS),
)
"""The 27 items with their sub-items: Collins GS et al., TRIPOD+AI statement, BMJ 2024. doi:10.1136/bmj-2023-078378"""


def map_items(sections: set[str]) -> list[Item]:
    """Return the items with the anchors that this report really has.

    Parameters
    ----------
    sections : set of str
        Anchors of the report's sections.

    Examples
    --------
    >>> item = next(item for item in map_items({"methods"}) if item.number == "13")
    >>> item.where, item.note, item.codes
    ('methods', 'Nothing was resampled or weighted.', 'V019, V020')
    """
    mapped = []
    for item in ITEMS:
        there = " ".join(anchor for anchor in item.where.split() if anchor in sections)
        note = item.note or ("" if there else "Not answered in this report.")
        codes = ", ".join(rule.code for rule in RULES if rule.item == item.number)
        mapped.append(Item(item.number, item.topic, there, note, codes))
    return mapped
