import copy
import hashlib
import json

import numpy as np
import polars as pl
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st

from twelvelead.predict import RiskClassifier, explain, from_parts, to_parts
from twelvelead.predict.trees import read_trees
from twelvelead.predict.ubjson import decode
from twelvelead.terms import InputError


def fit(calibration="logistic", frame=False):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 5))
    y = (X[:, 0] + rng.normal(size=150) > 0).astype(int)
    X = pl.DataFrame(X, schema=list("abcde")) if frame else X
    model = RiskClassifier(n_members=3, n_folds=3, rounds=15, elimination_rounds=5, calibration=calibration)
    return model.fit(X, y), X


@pytest.fixture(scope="module")
def stored():
    model, X = fit()
    return model, X, *to_parts(model)


@pytest.mark.parametrize("calibration", ["logistic", "isotonic", "none"])
@pytest.mark.parametrize("frame", [False, True])
def test_there_and_back_changes_no_bit(calibration, frame):
    model, X = fit(calibration, frame)
    parts, card = to_parts(model)
    again = from_parts(parts, json.loads(json.dumps(card)))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(again.predict(X), model.predict(X))
    ids = [str(i) for i in range(150)]
    assert explain(again, X, ids).equals(explain(model, X, ids))
    assert to_parts(again) == (parts, card)


def test_ubjson_agrees_with_xgboosts_json(stored):
    model, _, parts, _ = stored

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, (list, np.ndarray)):
            return [plain(v) for v in value]
        return float(value) if isinstance(value, (int, float, np.number)) else value

    got, want = (
        plain(decode(parts["member_0.ubj"])),
        plain(json.loads(model.members_[0].booster.save_raw("json"))),
    )
    # XGBoost's JSON prints float32 with nine digits.
    got_trees = got["learner"]["gradient_booster"]["model"]["trees"]
    want_trees = want["learner"]["gradient_booster"]["model"]["trees"]
    for mine, theirs in zip(got_trees, want_trees, strict=True):
        assert mine.keys() == theirs.keys()
        for key, value in theirs.items():
            assert mine[key] == (value if isinstance(value, dict) else pytest.approx(value, rel=1e-6)), key
    assert got["learner"]["learner_model_param"] == want["learner"]["learner_model_param"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an end where more was promised, at byte 0"),
        (b"{", "an end where more"),
        (b"i", "an end where more was promised, at byte 1"),
        (b"SL\x7f\xff\xff\xff\xff\xff\xff\xff", "an end where more"),
        (b"[$d#L\x7f\x00\x00\x00\x00\x00\x00\x00", "an end where more"),
        (b"[#i\x7f", "an end where more"),
        (b"[$S#i\x01", "an array of a type without a count"),
        (b"[$di\x01", "an array of a type without a count"),
        (b"[" * 50, "containers in one another"),
        (b"Si\xff", "a negative length"),
        (b"Sd\x00\x00\x00\x00", "a length that is no whole number"),
        (b"Si\x01\xff", "not ASCII"),
        (b"{i\x01ai\x01i\x01ai\x01}", "one key twice in one object"),
        (b"i\x01i", "bytes after the end, at byte 2"),
        (b"?", "an unknown marker"),
    ],
)
def test_bytes_that_are_no_ubjson(data, message):
    with pytest.raises(InputError, match=message):
        decode(data)


def test_every_kind_of_value():
    assert decode(b"[ZTFi\xffU\xffI\xff\xfeSi\x02ab]") == [None, True, False, -1, 255, -2, "ab"]
    assert decode(b"[$I#i\x02\x00\x01\x00\x02").tolist() == [1, 2]
    assert decode(b"D\x3f\xf8\x00\x00\x00\x00\x00\x00") == 1.5


# --- trees that XGBoost would follow out of bounds -------------------------------------------------------------------


def doctored(stored, change):
    """The first booster with `change` made to its JSON, as UBJSON bytes that pass for XGBoost's."""
    model = stored[0]
    content = json.loads(model.members_[0].booster.save_raw("json"))
    change(content["learner"])
    return encode(content)


def encode(value):
    if isinstance(value, dict):
        return b"{" + b"".join(encode(k)[1:] + encode(v) for k, v in value.items()) + b"}"
    if isinstance(value, list):
        return b"[#L" + len(value).to_bytes(8, "big") + b"".join(map(encode, value))
    if isinstance(value, str):
        return b"SL" + len(value.encode()).to_bytes(8, "big") + value.encode()
    if isinstance(value, float):
        return b"D" + np.array(value, ">f8").tobytes()
    return b"L" + np.array(value, ">i8").tobytes()


def tree(learner):
    return next(t for t in learner["gradient_booster"]["model"]["trees"] if t["left_children"][0] != -1)


def put(name, place, value):
    def change(learner):
        tree(learner)[name][place] = value

    return change


def drop(*path):
    def change(learner):
        for key in path[:-1]:
            learner = learner[key]
        del learner[path[-1]]

    return change


BAD = {
    "a cycle": (put("left_children", 0, 0), "children after their parent"),
    "a child outside": (put("left_children", 0, 9999), "children after their parent"),
    "a negative child": (put("right_children", 0, -5), "children after their parent"),
    "one child": (put("right_children", 0, -1), "two children or none"),
    "two parents": (put("right_children", 0, 1), "one parent per node"),
    "a foster parent": (put("parents", 1, 7), "parents that own their nodes"),
    "a root with a parent": (put("parents", 0, 1), "parents that own their nodes"),
    "no such predictor": (put("split_indices", 0, 99), "predictors that exist"),
    "a negative predictor": (put("split_indices", 0, -1), "predictors that exist"),
    "a category split": (put("split_type", 0, 1), "no category splits"),
    "a category": (lambda b: tree(b)["categories"].append(1), "no category splits"),
    "no way for missing": (put("default_left", 0, 7), "a way for missing"),
    "an infinite leaf": (put("split_conditions", -1, float("inf")), "finite numbers"),
    "a question nobody came to": (put("sum_hessian", 0, 0.0), "data that came to every question"),
    "a NaN threshold": (put("split_conditions", 0, float("nan")), "finite numbers"),
    "a short column": (lambda b: tree(b)["parents"].pop(), "whole nodes"),
    "a column of words": (lambda b: tree(b).update(split_type=["x"]), "whole nodes"),
    "a wrong size": (lambda b: tree(b)["tree_param"].update(num_nodes="7000"), "consistent sizes"),
    "a missing column": (lambda b: tree(b).pop("parents"), "an entry 'parents'"),
    "another objective": (lambda b: b["objective"].update(name="reg:squarederror"), "binary:logistic"),
    "another booster": (lambda b: b["gradient_booster"].update(name="dart"), "gbtree"),
    "another width": (lambda b: b["learner_model_param"].update(num_feature="77"), "predictors"),
    "two outputs": (lambda b: b["learner_model_param"].update(num_target="2"), "one output"),
    "no base score": (lambda b: b["learner_model_param"].update(base_score="[x]"), "base score"),
    "a tree too few": (lambda b: b["gradient_booster"]["model"]["trees"].pop(), "trees"),
    "rounds elsewhere": (
        lambda b: b["gradient_booster"]["model"]["iteration_indptr"].__setitem__(1, 999),
        "rounds of equally many trees",
    ),
    "no trees in a round": (
        lambda b: b["gradient_booster"]["model"]["gbtree_model_param"].update(num_parallel_tree="0"),
        "rounds of equally many trees",
    ),
    "trees for others": (lambda b: b["gradient_booster"]["model"]["tree_info"].__setitem__(0, 3), "one output"),
    "no learner": (drop("gradient_booster"), "an entry 'gradient_booster'"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_trees_are_refused_before_xgboost_sees_them(stored, case):
    change, message = BAD[case]
    card = stored[3]["members"][0]
    with pytest.raises(InputError, match=message):
        read_trees(doctored(stored, change), n_features=len(card["features"]), n_trees=card["n_trees"])


def test_the_doctor_does_no_harm_by_himself(stored):
    card = stored[3]["members"][0]
    read_trees(doctored(stored, lambda _: None), n_features=len(card["features"]), n_trees=card["n_trees"])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_changed_bytes_are_refused_or_harmless(data):
    model, _ = MUTATED
    raw = bytearray(model.members_[0].booster.save_raw("ubj"))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_trees(
            bytes(raw),
            n_features=len(model.members_[0].features),
            n_trees=model.members_[0].booster.num_boosted_rounds(),
        )
    except InputError:
        return
    decode(bytes(raw))


MUTATED = fit()


def test_a_card_that_does_not_fit_is_refused(stored):
    _, _, parts, card = stored
    cut = {name: data[:-1] for name, data in parts.items()}
    with pytest.raises(InputError, match=r"member_0\.ubj must have the card's SHA-256"):
        from_parts(cut, card)
    with pytest.raises(InputError, match=r"KeyError: 'member_0\.ubj'"):
        from_parts({}, card)
    with pytest.raises(InputError, match="must be of format"):
        from_parts(parts, card | {"format": "pickle"})
    with pytest.raises(InputError, match="at least one member"):
        from_parts(parts, card | {"members": []})
    for change in ({"parameters": {"n_trees": 3}}, {"calibrator": {"slope": 1.0}}, {"features": ["x0"]}):
        with pytest.raises(InputError, match="must hold all that the model needs"):
            from_parts(parts, card | change)
    longer = copy.deepcopy(card)
    longer["members"][0]["features"] += ["x1"]
    with pytest.raises(InputError, match="predictors; got one without"):
        from_parts(parts, longer)


def test_bytes_with_a_right_sum_but_wrong_content_are_refused(stored):
    _, _, parts, card = stored
    forged = {**parts, "member_0.ubj": b"{}"}
    card = copy.deepcopy(card)
    card["members"][0]["sha256"] = hashlib.sha256(b"{}").hexdigest()
    with pytest.raises(InputError, match="an entry 'learner'"):
        from_parts(forged, card)
    assert isinstance(xgb.Booster(model_file=bytearray(parts["member_1.ubj"])), xgb.Booster)


def test_a_model_of_forests_comes_back_as_it_was():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(120, 9))
    y = (X[:, 0] + rng.normal(size=120) > 0).astype(int)
    model = RiskClassifier(n_members=3, trees_per_round=4, rounds=5, elimination=0).fit(X, y)
    parts, card = to_parts(model)
    assert card["members"][0]["n_trees"] % 4 == 0
    again = from_parts(parts, card)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
