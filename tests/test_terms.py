import inspect

import polars as pl
import pytest

from twelvelead import terms
from twelvelead.terms import CONTRACTS, FIDUCIALS, Column, Contract, ContractError, Error, Reason, Unmeasurable


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_every_contract_is_complete(contract):
    assert contract.check(contract.empty()).height == 0
    assert set(contract.key) <= set(contract.schema)
    assert all(c.meaning.endswith(".") or c.meaning for c in contract.columns)
    assert len(contract.schema) == len(contract.columns), "a column is named twice"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_a_missing_column_is_named(contract):
    gone = contract.columns[0].name
    with pytest.raises(ContractError, match=f"must have column\\(s\\) {gone}"):
        contract.check(contract.empty().drop(gone))


TWO = Contract("two", ("a", "b"), (Column("a", pl.String, "A."), Column("b", pl.Int64, "B.", nullable=True)))


def test_a_wrong_type_is_named():
    with pytest.raises(ContractError, match="two: b must be Int64; got String"):
        TWO.check(pl.DataFrame({"a": ["x"], "b": ["1"]}))


def test_null_is_refused_only_where_it_must_be():
    assert TWO.check(pl.DataFrame({"a": ["x"], "b": [None]}, schema=TWO.schema)).height == 1
    with pytest.raises(ContractError, match="a must not be null; got 1 null of 1"):
        TWO.check(pl.DataFrame({"a": [None], "b": [1]}, schema=TWO.schema))


def test_a_repeated_key_is_counted_and_shown():
    twice = pl.DataFrame({"a": ["x", "x", "y"], "b": [1, 1, 2]})
    with pytest.raises(ContractError, match=r"a, b must name one row; got 1 repeated, first 'x', 1\."):
        TWO.check(twice)


def test_select_casts_and_drops_what_is_not_promised():
    table = TWO.select([{"a": "x", "b": 1, "c": 2.0}])
    assert table.schema == pl.Schema(TWO.schema)
    assert TWO.select([]).schema == pl.Schema(TWO.schema)


def test_the_error_tree_is_drawn_as_it_is():
    for name, thing in inspect.getmembers(terms, inspect.isclass):
        if issubclass(thing, Error):
            assert name in Error.__doc__


def test_a_refusal_carries_its_reason():
    error = Unmeasurable(Reason.FLAT, "leads must vary; got a flat line. Check the electrodes.")
    assert error.reason is Reason.FLAT
    assert str(error).startswith("leads must vary")


def test_fiducial_times_stand_in_the_contract():
    assert [c for c in FIDUCIALS.schema if c.endswith("_s")] == list(terms.FIDUCIAL_TIMES)
