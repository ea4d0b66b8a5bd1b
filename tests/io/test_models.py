import json

import pytest

from twelvelead.io import read_model, write_model
from twelvelead.terms import FormatError

PARTS = {"member-0.ubj": b"abc", "member-1.ubj": b"def"}


def test_a_model_comes_back_as_it_was(tmp_path):
    write_model(tmp_path / "m", PARTS, {"target": "x"})
    parts, card = read_model(tmp_path / "m")
    assert parts == PARTS
    assert card["target"] == "x"


def test_a_changed_file_is_refused(tmp_path):
    write_model(tmp_path, PARTS, {})
    (tmp_path / "member-1.ubj").write_bytes(b"evil")
    with pytest.raises(FormatError, match="must have the SHA-256 of its card"):
        read_model(tmp_path)


def test_a_card_may_not_name_a_file_elsewhere(tmp_path):
    write_model(tmp_path, PARTS, {})
    card = json.loads((tmp_path / "card.json").read_text())
    card["files"] = {"../secret": "0"}
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(FormatError, match="must lie beside its card"):
        read_model(tmp_path)


def test_a_folder_without_card_is_no_model(tmp_path):
    with pytest.raises(FormatError, match=r"must hold card\.json"):
        read_model(tmp_path)
