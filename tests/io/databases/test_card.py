import json

from twelvelead.io.databases.card import CARD, read_card


def test_what_is_simulated_is_not_taken_for_real_in_a_folder_around_it(tmp_path):
    deep = tmp_path / "hospital" / "mimic-iv-3.1" / "hosp"
    deep.mkdir(parents=True)
    (tmp_path / "hospital" / CARD).write_text(json.dumps({"simulated": True, "name": "made up"}))
    table = deep / "patients.csv.gz"
    assert read_card(tmp_path) == {}
    assert read_card(tmp_path, [table])["simulated"] is True
    assert read_card(tmp_path / "hospital")["name"] == "made up"
    assert read_card(deep, [table]) == {}  # a card above the data folder is somebody else's
