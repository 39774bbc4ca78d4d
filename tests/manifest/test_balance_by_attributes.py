"""`manifest balance`: images, or weights, by the classes of attributes."""

import itertools

import numpy as np
import pandas as pd
import pytest

import kerasfaces as kf
from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError
from kerasfaces.manifest import Manifest, attribute_choice, ratios, recipe

EVEN = (ratios.Ratio("attr_gender", {"man": 0.5, "woman": 0.5}),)


def make(counts, folder="/nowhere", pairs=False):
    """Return a manifest: (label, gender, glasses) -> number of rows."""
    rows = [
        (f"{label}/{i:03d}-{j}.png", label, "x", "", gender, glasses, str(i))
        for j, ((label, gender, glasses), n) in enumerate(counts.items())
        for i in range(n)
    ]
    names = [
        "path",
        "label",
        "source",
        "split",
        "attr_gender",
        "attr_glasses",
        "pair_id",
    ]
    frame = pd.DataFrame(rows, columns=names)
    return Manifest(
        frame if pairs else frame.drop(columns="pair_id"), manifests.table.Path(folder)
    )


BOTH = {
    (label, gender, glasses): n
    for label in ("real", "fake")
    for (gender, glasses), n in zip(
        itertools.product(("man", "woman"), ("glasses", "no_glasses")),
        (40, 60, 10, 90),
        strict=True,
    )
}


def shares(rows, column):
    return rows[column].value_counts(normalize=True).to_dict()


def test_both_labels_get_the_ratios_and_half_of_n_each():
    choice = attribute_choice.choose(make(BOTH), EVEN, 101)
    rows = choice.manifest.rows
    assert rows["label"].value_counts().to_dict() == {"real": 51, "fake": 50}
    for label in ("real", "fake"):
        own = shares(rows[rows["label"] == label], "attr_gender")
        assert own["man"] == pytest.approx(0.5, abs=0.01)
    assert choice.notes == ()


def test_several_attributes_at_once():
    wanted = (*EVEN, ratios.Ratio("attr_glasses", {"glasses": 0.3, "no_glasses": 0.7}))
    choice = attribute_choice.choose(make(BOTH), wanted, 120)
    rows = choice.manifest.rows
    assert shares(rows, "attr_gender")["man"] == pytest.approx(0.5, abs=0.02)
    # 10 women and 40 men with glasses of each label: .3 of 60 is 18
    assert shares(rows, "attr_glasses")["glasses"] == pytest.approx(0.3, abs=0.02)


def test_what_cannot_be_met_is_said_and_n_is_kept():
    wanted = (ratios.Ratio("attr_glasses", {"glasses": 0.9, "no_glasses": 0.1}),)
    choice = attribute_choice.choose(make(BOTH), wanted, 200)
    assert len(choice.manifest) == 200
    line = choice.table.set_index(["label", "class"]).loc["real", "glasses"]
    assert (line["available"], line["chosen"], line["short"]) == (
        50,
        50,
        pytest.approx(40),
    )
    assert (
        "real, attr_glasses glasses: 90 wanted, 50 chosen; 50 images have it."
        in choice.notes
    )


def test_too_few_images_and_a_documents_class_that_nobody_has_are_said():
    choice = attribute_choice.choose(make(BOTH), EVEN, 1000)
    assert len(choice.manifest) == 400
    assert (
        "real: 500 images were asked for and 200 have all attributes." in choice.notes
    )
    data = make(BOTH)
    rows = data.rows.assign(attr_race=["white", "black"] * 200)
    race = ratios.KABBER2023[-1]
    choice = attribute_choice.choose(Manifest(rows, data.folder), (race,), 100)
    sentences = " ".join(choice.notes)
    assert "attr_race latino_hispanic: 15 wanted, 0 chosen; no image has" in sentences


@pytest.mark.parametrize("work", ["choose", "weigh"])
def test_a_class_that_nobody_has_is_named_with_those_there_are(work):
    wanted = ratios.wanted(None, ["attr_gender=man:.5,womn:.5"])
    with pytest.raises(
        InputError,
        match=r"attr_gender: no image is 'womn'; there are man, woman\. Did you mean 'woman'",
    ):
        getattr(attribute_choice, work)(make(BOTH), wanted, *[10] * (work == "choose"))
    women = make({(label, "woman", "glasses"): 5 for label in ("real", "fake")})
    with pytest.raises(InputError, match=r"is 'man'; there are woman\.$"):
        getattr(attribute_choice, work)(women, EVEN, *[10] * (work == "choose"))


def test_rows_without_an_attribute_are_left_out_and_counted():
    counts = BOTH | {("real", "", "glasses"): 7, ("fake", "robot", "glasses"): 3}
    choice = attribute_choice.choose(make(counts), EVEN, 100)
    assert set(choice.manifest.rows["attr_gender"]) == {"man", "woman"}
    assert "10 of 410 images lack an attribute" in choice.notes[0]
    assert "(7 real, 3 fake)" in choice.notes[0]


def test_shares_below_one_leave_the_rest_to_the_others():
    counts = BOTH | {("real", "robot", "glasses"): 20, ("fake", "robot", "glasses"): 20}
    wanted = (ratios.Ratio("attr_gender", {"man": 0.6}),)
    choice = attribute_choice.choose(make(counts), wanted, 100)
    own = shares(choice.manifest.rows, "attr_gender")
    assert own["man"] == pytest.approx(0.6, abs=0.02)
    assert own["woman"] / own["robot"] == pytest.approx(5, rel=0.25)
    assert "sum to 0.6; the rest is left to woman, robot" in choice.notes[0]


def test_a_label_without_attributes_is_one_sentence():
    counts = {("real", sex, "glasses"): 5 for sex in ("man", "woman")}
    with pytest.raises(
        InputError, match=r"no fake image has all of attr_gender.*annotate.*`label=real"
    ):
        attribute_choice.choose(make(counts | {("fake", "", ""): 5}), EVEN, 4)
    nobody = {("real", "", ""): 5, ("fake", "", ""): 5}
    with pytest.raises(InputError, match="no real image has all of attr_gender"):
        attribute_choice.choose(make(nobody), EVEN, 4)


def test_a_missing_column_names_those_there_are():
    wanted = (ratios.Ratio("attr_shoes", {"red": 1.0}),)
    with pytest.raises(
        InputError, match="no column 'attr_shoes'; there are attr_gender"
    ):
        attribute_choice.choose(make(BOTH), wanted, 4)


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    data = make(BOTH)
    turned = Manifest(
        data.rows.sample(frac=1, random_state=3).reset_index(drop=True), data.folder
    )
    chosen = [
        sorted(attribute_choice.choose(each, EVEN, 60, seed=seed).manifest.rows["path"])
        for each, seed in ((data, 0), (turned, 0), (data, 1))
    ]
    assert chosen[0] == chosen[1] != chosen[2]


def test_pairs_bring_a_fake_along_with_each_real():
    counts = {
        ("real", "man", "glasses"): 30,
        ("real", "woman", "glasses"): 10,
        ("fake", "", ""): 40,
    }
    data = make(counts, pairs=True)
    ids = [str(i % 40) for i in range(80)]  # the n-th fake is of the n-th real
    data = Manifest(data.rows.assign(pair_id=ids), data.folder)
    rows = attribute_choice.choose(data, EVEN, 40, pairs=True).manifest.rows
    real, fake = (rows[rows["label"] == label] for label in ("real", "fake"))
    assert len(real) == 20
    assert sorted(real["pair_id"]) == sorted(fake["pair_id"])
    assert shares(real, "attr_gender")["woman"] == 0.5
    two = Manifest(data.rows.assign(pair_id="7"), data.folder)
    assert len(attribute_choice.choose(two, EVEN, 40, pairs=True).manifest) == 2
    with pytest.raises(InputError, match="no fake has a `pair_id`"):
        attribute_choice.choose(make(counts), EVEN, 40, pairs=True)
    fakes = make({("fake", sex, "glasses"): 5 for sex in ("man", "woman")}, pairs=True)
    with pytest.raises(InputError, match="there is no real one; join the reals"):
        attribute_choice.choose(fakes, EVEN, 4, pairs=True)


def test_weights_give_the_ratios_and_leave_nothing_out():
    wanted = (*EVEN, ratios.Ratio("attr_glasses", {"glasses": 0.6, "no_glasses": 0.4}))
    counts = BOTH | {("real", "", "glasses"): 4}
    choice = attribute_choice.weigh(make(counts), wanted)
    rows = choice.manifest.rows.assign(w=lambda f: f["weight"].astype(float))
    assert len(rows) == sum(counts.values())
    assert set(rows.loc[rows["attr_gender"] == "", "w"]) == {1.0}
    known = rows[rows["attr_gender"] != ""]
    for label in ("real", "fake"):
        own = known[known["label"] == label]
        assert own["w"].mean() == pytest.approx(1, abs=1e-4)
        men, glasses = (
            own.loc[own[name] == value, "w"].sum() / own["w"].sum()
            for name, value in (("attr_gender", "man"), ("attr_glasses", "glasses"))
        )
        assert (men, glasses) == pytest.approx((0.5, 0.6), abs=1e-3)
    effective = known[known["label"] == "real"]["w"]
    n = effective.sum() ** 2 / (effective**2).sum()
    assert any(
        f"real: 200 images weigh as {n:,.0f} alike" in note for note in choice.notes
    )


def test_the_preset_is_the_recipes_and_says_that_race_sums_to_more_than_one():
    from pathlib import Path

    path = Path(__file__).parents[2] / "data_manifests/kabber2023.toml"
    document = recipe.read(path)
    for ratio in ratios.KABBER2023:
        own = {
            s.value: s.share for s in document.share if s.attribute == ratio.attribute
        }
        assert ratio.shares == own
    race = ratios.KABBER2023[-1]
    assert race.note([]) == "attr_race: the ratios sum to 1.02 and are divided by that."
    assert sum(race.normalised([]).values()) == pytest.approx(1)
    assert race.values(pd.DataFrame({"attr_race": ["indian", "latino", "x"]})) == [
        *("asian", "latino_hispanic", ""),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "attr_a", "attr_a=", "attr_a=x", "attr_a=x:y", "attr_a=x:1,x:2", "=x:1"],
)
def test_what_is_no_ratio_is_refused_with_an_example(text):
    with pytest.raises(InputError, match=r"attr_gender=man:\.5,woman:\.5"):
        ratios.parse(text)


@pytest.mark.parametrize("share", ["0", "-1", "inf", "nan"])
def test_a_share_is_above_nothing(share):
    with pytest.raises(InputError, match="expected a share above 0"):
        ratios.parse(f"attr_a=x:{share}")


def test_an_unknown_preset_and_no_ratio_at_all():
    with pytest.raises(InputError, match="no 'kabber23'; there are kabber2023"):
        ratios.wanted("kabber23", [])
    with pytest.raises(InputError, match="expected ratios, or a preset"):
        ratios.wanted(None, [])
    own = ratios.wanted("kabber2023", ["attr_gender=man:1,woman:1"])
    assert dict(own[-1].shares) == {"man": 1.0, "woman": 1.0}
    assert [each.attribute for each in own].count("attr_gender") == 1


def write(data, path):
    path.write_text(manifests.table.to_csv(data.rows), encoding="utf-8")
    return path


def test_the_command_writes_prints_and_warns(run, tmp_path, caplog):
    path = write(make(BOTH), tmp_path / "m.csv")
    out = tmp_path / "out.csv"
    words = [
        "balance",
        path,
        "-n",
        200,
        "--ratio",
        "attr_glasses=glasses:.9,no_glasses:.1",
    ]
    code, printed = run(*words, "-o", out)
    assert code == 0
    assert len(manifests.read(out)) == 200
    assert "wanted" in printed
    assert "90 wanted, 50 chosen" in caplog.text
    with pytest.raises(InputError, match="exists; add --overwrite"):
        run(*words, "-o", out)


def test_the_command_weighs(run, tmp_path):
    path = write(make(BOTH), tmp_path / "m.csv")
    out = tmp_path / "out.csv"
    wanted = "attr_gender=man:1,woman:1"
    code, printed = run("balance", path, "--weigh", "--ratio", wanted, "-o", out)
    assert code == 0
    assert "sum of weights" in printed
    assert np.isclose(manifests.read(out).rows["weight"].astype(float).mean(), 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--weigh", "-n", 3], "leave -n and --pairs out"), ([], "how many images")],
)
def test_the_command_refuses_what_contradicts_itself(run, tmp_path, words, sentence):
    path = write(make(BOTH), tmp_path / "m.csv")
    with pytest.raises(InputError, match=sentence):
        run(
            "balance",
            path,
            "--ratio",
            "attr_gender=man:1,woman:1",
            *words,
            "-o",
            tmp_path / "o.csv",
        )


def test_the_library_keeps_what_came_of_it(tmp_path):
    data = kf.Manifest.from_csv(write(make(BOTH), tmp_path / "m.csv"))
    chosen = data.balance(100, {"attr_gender": {"man": 1, "woman": 1}})
    assert len(chosen) == 100
    assert list(chosen.choice["class"]) == ["man", "woman"] * 2
    assert data.choice is None
    assert "weight" in data.weigh({"attr_gender": {"man": 1, "woman": 1}}).table
