"""What the classifier sees is what Rasa's own sees."""

from __future__ import annotations

import numpy as np
import pytest
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from scipy.sparse import coo_matrix

from dialogue.nlu.intent_classifier import TunableIntentClassifier


def message(*features: object) -> Message:
    made = Message({TEXT: "2 burgers"})
    for number, matrix in enumerate(features):
        made.add_features(Features(matrix, FEATURE_TYPE_SENTENCE, TEXT, f"featurizer {number}"))
    return made


WORDS, LETTERS = coo_matrix([[0, 0.5, 0]]), coo_matrix([[0.25, 0]])
DENSE = np.array([[1.0, 2.0]])


@pytest.mark.parametrize(
    "messages",
    [
        [message(WORDS)],
        [message(WORDS, LETTERS)],
        [message(WORDS, LETTERS), message(WORDS, LETTERS), message(coo_matrix([[0, 0, 0]]), LETTERS)],
        [message(WORDS, DENSE)],
        [message(WORDS, DENSE), message(WORDS, DENSE)],
    ],
    ids=["one", "joined", "several", "dense", "dense, several"],
)
def test_it_sees_what_rasas_own_sees(messages, tmp_path):
    config = TunableIntentClassifier.get_default_config()
    ours = TunableIntentClassifier(config, "ours", LocalModelStorage(tmp_path), Resource("ours"))
    seen = ours._create_X(messages)
    rasas = LogisticRegressionClassifier._create_X(ours, messages)
    assert seen.shape == rasas.shape
    assert np.array_equal(seen.toarray(), rasas.toarray())


WORD_COLUMNS, LETTER_COLUMNS = 6, 9


def sentences(seed: int, count: int) -> list[Message]:
    """Messages with random features, of two featurizers."""
    random = np.random.default_rng(seed)

    def row(columns: int) -> coo_matrix:
        return coo_matrix([random.random(columns) * (random.random(columns) < 0.5)])

    return [message(row(WORD_COLUMNS), row(LETTER_COLUMNS)) for _ in range(count)]


@pytest.mark.parametrize("solver", ["liblinear", "lbfgs"])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("weights", [{}, {"intent 1": 3.0}])
def test_it_predicts_what_rasas_own_predicts_times_the_weights(solver, classes, weights, tmp_path):
    config = {**TunableIntentClassifier.get_default_config(), "solver": solver, "weights": weights, "C": 8}
    ours = TunableIntentClassifier(config, "ours", LocalModelStorage(tmp_path), Resource("ours"))
    training = sentences(1, 60)
    intents = [f"intent {number % classes}" for number in range(len(training))]
    ours.clf.fit(ours._create_X(training), intents)
    for ranked, expected in zip(
        ours.process(sentences(2, 20)),
        LogisticRegressionClassifier.process(ours, sentences(2, 20)),
        strict=True,
    ):
        likely = {
            one["name"]: one["confidence"] * weights.get(one["name"], 1.0)
            for one in expected.get("intent_ranking")
        }
        found = {one["name"]: one["confidence"] for one in ranked.get("intent_ranking")}
        assert list(found) == sorted(likely, key=lambda name: -likely[name])
        assert found == pytest.approx({name: value / sum(likely.values()) for name, value in likely.items()})
        assert ranked.get("intent") == ranked.get("intent_ranking")[0]
