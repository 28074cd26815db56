"""The tf-idf featurizer: what it learns survives the model file, and the marks do what they say."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from dialogue.nlu.tfidf_featurizer import TfidfFeaturizer

SENTENCES = ["two coffees please", "i want 2 teas", "where is my order", "yes please", "no"]
RESOURCE = Resource("tfidf")
CONTEXT = ExecutionContext(GraphSchema({}), str(uuid.uuid4()), node_name="tfidf")


def message(text: str) -> Message:
    """A message."""
    return Message(data={TEXT: text})


def config(**settings: Any) -> dict[str, Any]:
    """The default settings with some replaced."""
    return {**TfidfFeaturizer.get_default_config(), **settings}


def features(featurizer: TfidfFeaturizer, text: str) -> np.ndarray[Any, Any]:
    """The sentence features of a text."""
    _, sentence = featurizer.process([message(text)])[0].get_sparse_features(TEXT)
    assert sentence is not None
    dense: np.ndarray[Any, Any] = sentence.features.toarray()
    return dense


@pytest.fixture
def storage(tmp_path: Path) -> LocalModelStorage:
    """Where the model goes."""
    return LocalModelStorage(tmp_path)


def train(storage: LocalModelStorage, **settings: Any) -> TfidfFeaturizer:
    """A featurizer trained on the five sentences."""
    featurizer = TfidfFeaturizer.create(config(**settings), storage, RESOURCE, CONTEXT)
    featurizer.train(TrainingData([message(text) for text in SENTENCES]))
    return featurizer


@pytest.mark.parametrize(
    "settings",
    [{}, {"analyzer": "char_wb", "max_ngram": 4}, {"min_count": 2, "mark_edges": True}],
)
@pytest.mark.parametrize("text", [*SENTENCES, "two teas for me", "", "👍", "¿?"])
def test_a_loaded_featurizer_gives_the_same_features(
    storage: LocalModelStorage, settings: dict[str, Any], text: str
) -> None:
    """Every message gets a row of the same width, whatever it holds."""
    trained = train(storage, **settings)
    loaded = TfidfFeaturizer.load(config(**settings), storage, RESOURCE, CONTEXT)
    np.testing.assert_array_equal(features(trained, text), features(loaded, text))
    assert features(loaded, text).shape == features(loaded, "no").shape


@pytest.mark.parametrize("settings", [{}, {"analyzer": "char_wb", "max_ngram": 4}, {"sublinear_tf": False}])
@pytest.mark.parametrize("text", [*SENTENCES, "two teas, two teas", "", "👍"])
def test_the_features_are_those_of_scikit_learn(
    storage: LocalModelStorage, settings: dict[str, Any], text: str
) -> None:
    featurizer = train(storage, **settings)
    given = featurizer._vectorizer.transform([text]).toarray()
    np.testing.assert_allclose(featurizer._weighted(text).toarray(), given)


def test_a_common_word_weighs_less_than_a_rare_one(storage: LocalModelStorage) -> None:
    """This is what tf-idf is for."""
    row = sorted(features(train(storage, max_ngram=1), "yes please").ravel())[-2:]
    assert row[0] < row[1]


def test_numbers_and_unknown_words_are_interchangeable(storage: LocalModelStorage) -> None:
    """A product that training never saw looks like any other rare word."""
    featurizer = train(storage, min_count=2, mark_edges=True)
    np.testing.assert_array_equal(
        features(featurizer, "3 samosas please"), features(featurizer, "15 chapmans please")
    )


def test_the_edges_matter(storage: LocalModelStorage) -> None:
    """The same words in another place make another row."""
    featurizer = train(storage, mark_edges=True)
    assert (features(featurizer, "yes no") != features(featurizer, "no yes")).any()


@pytest.mark.parametrize(
    "settings",
    [{"analyzer": "words"}, {"min_ngram": 3}, {"analyzer": "char_wb", "mark_edges": True}],
)
def test_bad_settings_are_refused(storage: LocalModelStorage, settings: dict[str, Any]) -> None:
    """At load of the configuration, not in the middle of training."""
    with pytest.raises(InvalidConfigException):
        TfidfFeaturizer.create(config(**settings), storage, RESOURCE, CONTEXT)


def test_a_model_without_the_featurizer_is_an_error(storage: LocalModelStorage) -> None:
    """A blank featurizer would misclassify everything in silence."""
    with pytest.raises(ValueError, match="tfidf"):
        TfidfFeaturizer.load(config(), storage, RESOURCE, CONTEXT)
