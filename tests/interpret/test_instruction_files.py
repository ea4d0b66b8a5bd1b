"""`twelvelead instruct` and `twelvelead converse`: folders in, folders out."""

import json
from dataclasses import replace

import polars as pl
import pytest
import torch

from twelvelead.app.cli import main
from twelvelead.interpret.dialects import is_signed_rightly
from twelvelead.interpret.dual_encoder import TINY
from twelvelead.io import Found, read_json, sha256
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.study import instructing
from twelvelead.study.conversing import load_dual, read_examples, speak_of, train_dual
from twelvelead.study.instructing import Order, instruct_files, split_people
from twelvelead.study.people import Person, people_of
from twelvelead.terms import InputError

N = 6


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Six recordings of three patients, and a table of these."""
    folder = tmp_path_factory.mktemp("archive")
    people = hospital(N, site=SITE_A, seed=2).truth.rows(named=True)[:N]
    for k, person in enumerate(people):
        write_wfdb(replace_id(recording(person, site=SITE_A), f"e{k}"), folder / f"e{k}.hea")
    table = pl.DataFrame({
        "recording_id": [f"e{k}" for k in range(N)], "patient_id": [f"p{k // 2}" for k in range(N)],
        "age_years": [50.0] * N, "sex": ["female", None] * (N // 2),
    })  # fmt: skip
    table.write_csv(folder / "people.csv")
    return folder


def replace_id(made, name):
    return replace(made, id=name)


@pytest.fixture(scope="module")
def made(archive, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "gem"
    order = Order("gem", layouts=("12x1",), dpi=30, licence="CC BY 4.0", seed=1)
    done = instruct_files([archive], out=out, order=order, demographics=archive / "people.csv")
    return out, done


def test_patients_are_on_one_side_and_the_manifest_says_what_was_made(made):
    out, done = made
    assert done.n_recordings == N
    assert done.by_patient
    sides = {name: read_json(out / f"{name}.json") for name in ("train", "validation", "test")}
    patients = {name: {f"p{int(one['recording_id'][1:]) // 2}" for one in part} for name, part in sides.items()}
    assert sorted(patients["train"] | patients["validation"] | patients["test"]) == ["p0", "p1", "p2"]
    assert sum(map(len, patients.values())) == 3
    manifest = read_json(out / "manifest.json")
    assert manifest["n_examples"] == done.n_examples == {name: len(part) for name, part in sides.items()}
    assert manifest["files"] == {f"{name}.json": sha256(out / f"{name}.json") for name in sides}
    assert (manifest["licence"], manifest["split_by_patient"]) == ("CC BY 4.0", True)
    for one in (one for part in sides.values() for one in part):
        assert is_signed_rightly(one)
        assert (out / one["image"]).read_bytes().startswith(b"\x89PNG")
    assert not (out / "unfinished").exists()


def test_a_killed_run_goes_on_and_comes_to_the_same_bytes(archive, made, tmp_path, monkeypatch):
    monkeypatch.setattr(instructing, "PART", 2)
    order = Order("gem", layouts=("12x1",), dpi=30, licence="CC BY 4.0", seed=1)
    write, calls = instructing.instruct_part, []

    def killed(part):
        if len(calls) == 1:
            raise KeyboardInterrupt
        calls.append(part)
        write(part)

    monkeypatch.setattr(instructing, "instruct_part", killed)
    with pytest.raises(KeyboardInterrupt):
        instruct_files([archive], out=tmp_path / "gem", order=order, demographics=archive / "people.csv")
    again = []
    monkeypatch.setattr(instructing, "instruct_part", lambda part: (again.append(part), write(part)))
    instruct_files([archive], out=tmp_path / "gem", order=order, demographics=archive / "people.csv")
    assert len(again) == 2, "the first part was done"
    out, _ = made
    for name in ("train.json", "validation.json", "test.json"):
        assert (tmp_path / "gem" / name).read_bytes() == (out / name).read_bytes()


def test_one_bad_recording_is_a_listed_failure(archive, tmp_path, capsys):
    bad = tmp_path / "in"
    bad.mkdir()
    for name in ("e0.hea", "e0.dat"):
        (bad / name).write_bytes((archive / name).read_bytes())
    (bad / "broken.hea").write_text("nothing\n")
    status = main(["instruct", str(bad), "--dialect", "erb", "--layouts", "none", "--out", str(tmp_path / "o")])
    assert status == 4
    failures = pl.read_csv(tmp_path / "o" / "failures.csv")
    assert failures["recording_id"].to_list() == ["broken"]
    said = capsys.readouterr().err
    assert "broken: unreadable" in said
    assert "a patient may be on both sides" in said
    assert {one["recording_id"] for one in read_json(tmp_path / "o" / "train.json")} == {"e0"}


def test_ecg_r1_is_written_in_lines(archive, tmp_path):
    order = Order("ecg-r1", layouts=("12x1",), dpi=20)
    instruct_files([archive / "e0.hea"], out=tmp_path / "r1", order=order)
    lines = (tmp_path / "r1" / "train.jsonl").read_text().splitlines()
    assert [json.loads(line)["recording_id"] for line in lines] == ["e0"]
    assert read_examples(tmp_path / "r1", "train")[0]["objects"] == {"ecg": ["e0"]}


@pytest.mark.parametrize(("wrong", "said"), [
    ({"dialect": "llava"}, "dialect must be one of gem"),
    ({"dialect": "gem", "layouts": ("5x5",)}, "layout must be one of"),
    ({"dialect": "gem", "layouts": ()}, "shows a picture; got no layout"),
])  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        Order(**wrong)


def test_few_patients_are_all_to_train_with():
    whose = {"a": Person("x", known=True), "b": Person("y", known=True)}
    assert set(split_people(whose, seed=0).values()) == {"train"}
    assert sorted(split_people({**whose, "c": Person("z")}, seed=0).values()) == ["test", "train", "validation"]


def test_a_model_is_trained_from_the_files_and_speaks(archive, made, tmp_path, capsys):
    out, _ = made
    small = replace(TINY, image=(64, 64), width=32, depth=1, context=4096)
    losses = train_dual(out, archive, out=tmp_path / "m.safetensors", steps=3, batch=1, lr=1e-3, seed=0, config=small)
    assert len(losses) == 3
    again = train_dual(out, archive, out=tmp_path / "n.safetensors", steps=3, batch=1, lr=1e-3, seed=0, config=small)
    assert again == losses
    assert sha256(tmp_path / "m.safetensors") == sha256(tmp_path / "n.safetensors")
    texts = speak_of(tmp_path / "m.safetensors", [archive / "e0.hea"], most=12)
    assert list(texts) == ["e0"]
    assert isinstance(texts["e0"], str)
    (tmp_path / "t.json").write_text(json.dumps({"e0": "The heart rate is 500 bpm."}))
    assert main(["converse", "score", str(tmp_path / "t.json"), str(archive), "--out", str(tmp_path / "s.json")]) == 0
    assert "numeric_precision" in capsys.readouterr().out
    assert read_json(tmp_path / "s.json")["figures"]["texts"]["numeric_precision"] == 0.0


def test_a_model_that_was_changed_is_refused(archive, made, tmp_path):
    out, _ = made
    small = replace(TINY, image=(64, 64), width=32, depth=1, context=4096)
    train_dual(out, archive, out=tmp_path / "m.safetensors", steps=1, batch=1, lr=1e-3, seed=0, config=small)
    content = bytearray((tmp_path / "m.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="SHA-256"):
        load_dual(tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="must be in the archive"):
        train_dual(out, archive / "e0.hea", out=tmp_path / "o.safetensors", steps=1, batch=1, lr=1e-3, seed=0)


def test_marks_are_added_up_by_a_command(tmp_path, capsys):
    (tmp_path / "j.json").write_text(json.dumps({"a": {"DiagnosisAccuracy": [2, 1, 0]}}))
    assert main(["converse", "marks", str(tmp_path / "j.json"), "--compat", "gem"]) == 0
    assert "66.67" in capsys.readouterr().out
    assert main(["converse", "marks", str(tmp_path / "j.json")]) == 3
    assert main(["converse", "marks", str(tmp_path / "j.json"), "--strict", "--compat", "gem"]) == 3


def test_a_server_elsewhere_is_refused_by_the_command(archive, capsys):
    status = main(["converse", "speak", str(archive / "e0.hea"), "--language-model", "http://192.0.2.1/v1"])
    assert status == 3
    assert "--allow-remote" in capsys.readouterr().err


def test_a_server_that_is_not_there_leaves_our_own_text(archive, capsys):
    command = ["converse", "speak", str(archive / "e0.hea"), "--language-model", "http://127.0.0.1:9/v1"]
    assert main([*command, "--model", "m", "--timeout", "2"]) == 0
    said = capsys.readouterr().out
    assert "takes the model's place" in said
    assert "bpm" in said
    assert main([*command, "--model", "m", "--timeout", "2", "--mode", "free"]) == 3


def test_whose_a_recording_is_says_the_table_or_else_the_file(archive, tmp_path):
    found = [Found(f"e{k}", archive / f"e{k}.hea") for k in range(3)]
    of = people_of(found, [archive], archive / "people.csv", UNDECLARED)
    assert [person.patient == of[0].patient for person in of] == [True, True, False]
    assert [(person.known, person.age_years, person.sex) for person in of[:2]] == [
        (True, 50.0, "female"), (True, 50.0, None),
    ]  # fmt: skip
    assert not any("p0" in person.patient for person in of), "a hash, not the id"
    nobody = people_of(found, [archive], None, UNDECLARED)
    assert not any(person.known for person in nobody)
    assert len({person.patient for person in nobody}) == 3
    table = {
        "patient_id": [7.0], "age": [300.0], "sex": [1], "filename_hr": ["records500/00000/e0"],
    }  # fmt: skip
    pl.DataFrame(table).write_csv(tmp_path / "ptbxl_database.csv")
    first, second, _ = people_of(found, [archive], tmp_path / "ptbxl_database.csv", UNDECLARED)
    assert (first.known, first.age_years, first.sex) == (True, 90.0, "female"), "PTB-XL's 300 is over 89"
    assert not second.known
