"""Human ratings: matching, a user's own, and a table that is not the one expected."""

import gzip
import hashlib
import zipfile

import pytest

from emotion_concepts import ratings
from emotion_concepts.errors import DataError

CSV = ",Word,V.Mean.Sum,V.SD.Sum,A.Mean.Sum,A.SD.Sum\n1,happy,8.47,1,6.05,2\n2,thrill,7,1,6.5,2\n"


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "w.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(ratings.WARRINER_MEMBER, gzip.compress(CSV.encode()))
    return path


def test_words_match_themselves_or_a_flagged_lemma(wheel, monkeypatch):
    monkeypatch.setattr(ratings, "WARRINER_CSV_SHA256", hashlib.sha256(CSV.encode()).hexdigest())
    table = ratings.warriner_ratings(
        wheel, ["happy", "thrilled", "unknown"], {"thrilled": "thrill", "happy": "x"}
    )
    assert table.to_numpy().tolist() == [["happy", 8.47, 6.05, "exact"], ["thrilled", 7.0, 6.5, "thrill"]]


def test_another_table_is_refused(wheel):
    with pytest.raises(DataError, match=r"has sha256 .* expected 85f6d7e35069"):
        ratings.warriner_ratings(wheel, ["happy"], {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("emotion,valence\nsad,1\n", ":1: no column 'arousal'"),
        ("emotion,valence,arousal\nsad,1,2\nmad,low,2\n", ":3: valence is not a number: 'low'"),
        ("emotion,valence,arousal\nsad,1,2\nsad,1,2\n", ":3: 'sad' is rated twice"),
    ],
)
def test_bad_ratings_are_named(tmp_path, text, said):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        ratings.user_ratings(path)


def test_own_ratings_are_read(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("emotion,valence,arousal,more\nsad,1.5,2,x\n")
    assert ratings.user_ratings(path).to_numpy().tolist() == [["sad", 1.5, 2, "exact"]]
