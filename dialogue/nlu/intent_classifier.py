"""Logistic regression whose strength of regularisation can be set.

Rasa's `LogisticRegressionClassifier` fixes C at 1 and the class weights at "balanced". tf-idf
weights are small numbers, for which C = 1 regularises too much: the classifier then rejects too few
of the messages that are none of the shop's business (docs/decisions/0002-intent-classifier.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE as SENTENCE
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.utils.tensorflow.constants import RANKING_LENGTH
from scipy.sparse import coo_matrix, csr_matrix, vstack
from scipy.special import expit


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TunableIntentClassifier(LogisticRegressionClassifier):  # type: ignore[misc]  # untyped
    """`LogisticRegressionClassifier` with the settings `C`, `class_weight` and `weights`."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Rasa's settings, the fast solver, and the three that Rasa leaves out."""
        return {
            **LogisticRegressionClassifier.get_default_config(),
            "solver": "liblinear",  # one model per intent; trains in half the time of lbfgs
            "C": 1.0,
            "class_weight": "balanced",
            # What an intent's probability is multiplied with; above 1, it is taken sooner.
            "weights": {},
        }

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse what scikit-learn would only refuse while training."""
        if config["C"] <= 0:
            raise InvalidConfigException("C must be greater than 0")
        if any(weight <= 0 for weight in config["weights"].values()):
            raise InvalidConfigException("weights must be greater than 0")

    def __init__(
        self, config: dict[str, Any], name: str, model_storage: ModelStorage, resource: Resource
    ) -> None:
        """Build an untrained classifier."""
        super().__init__(config, name, model_storage, resource)
        self.clf.set_params(C=self.config["C"], class_weight=self.config["class_weight"])

    def _create_X(self, messages: list[Message]) -> csr_matrix:
        """The features of each message's sentence, as Rasa has them, not joined where none is dense."""
        sparse = [message.get_sparse_features(attribute=TEXT)[1] for message in messages]
        dense = (message.get_dense_features(attribute=TEXT)[1] for message in messages)
        if not messages or any(dense) or not all(sparse):
            return super()._create_X(messages)
        rows = [features.features for features in sparse]
        return rows[0].tocsr() if len(rows) == 1 else vstack(rows).tocsr()

    def process(self, messages: list[Message]) -> list[Message]:
        """Rasa's prediction, weighted."""
        for message in messages:
            likely = self._probabilities(message)
            first = np.argsort(-likely, kind="stable")[: self.config[RANKING_LENGTH] or None]
            names, likely = self.clf.classes_[first], likely[first]
            likely = likely * [self.config["weights"].get(name, 1.0) for name in names]
            likely = likely / likely.sum()
            ranking = [
                {"name": str(names[place]), "confidence": float(likely[place])}
                for place in np.argsort(-likely, kind="stable")
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _probabilities(self, message: Message) -> NDArray[np.float64]:
        """What the classifier gives for one message, in the order of its classes.

        Of one message's hundred features among a hundred thousand, scikit-learn makes a matrix several times
        before it multiplies, which took forty times as long. Source of the sum and of what is made of it: its
        documentation, "Logistic regression" (one model for each class, as `liblinear` trains them).
        """
        features = [one for one in message.features if (one.attribute, one.type) == (TEXT, SENTENCE)]
        if self.config["solver"] != "liblinear" or len(self.clf.classes_) < 3 or not _are_rows(features):
            return self.clf.predict_proba(self._create_X([message]))[0]
        if not self.clf.coef_.flags.f_contiguous:
            self.clf.coef_ = np.asfortranarray(self.clf.coef_)  # what belongs to a feature lies together
        sums, width = self.clf.intercept_.copy(), 0
        for row in (one.features for one in features):
            sums += row.data @ self.clf.coef_.T[row.col + width]
            width += row.shape[1]
        likely = expit(sums)
        return likely / likely.sum()


def _are_rows(features: Sequence[Features]) -> bool:
    return bool(features) and all(isinstance(one.features, coo_matrix) for one in features)
