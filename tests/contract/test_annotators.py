"""Every annotator states what it tells, where it comes from and under which licence."""

import pytest

from kerasfaces.annotate.contract import PACKAGE, Attribute
from kerasfaces.core import registry

NAMES = registry.names(PACKAGE)
# the values that manifests use, of the sample and of recipes
VALUES = {
    "gender": {"man", "woman"},
    "race": {"asian", "black", "latino_hispanic", "white"},
    "expression": {"positive", "neutral", "negative"},
    "glasses": {"glasses", "no_glasses"},
    "age": set(),
}


def test_the_annotators_are_here():
    wanted = {"gear", "emotion", "glasses", "glasses_frozen", "bridge"}
    wanted |= {"facemesh", "fer", "deepface"}
    assert wanted < set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_annotator_says_what_it_is(name):
    module = registry.load(PACKAGE, name)
    assert module.LICENCE
    assert module.SOURCE
    assert module.PUBLISHED
    assert module.VERSION >= 1
    assert callable(module.build)
    assert registry.summary(PACKAGE, name)
    assert module.ATTRIBUTES or module.LANDMARKS


@pytest.mark.parametrize("name", NAMES)
def test_its_values_are_those_of_manifests(name):
    for attribute in registry.load(PACKAGE, name).ATTRIBUTES:
        assert isinstance(attribute, Attribute)
        assert set(attribute.classes) <= VALUES[attribute.name]
        assert 0 <= attribute.min_confidence <= 1
        if attribute.numbers:
            assert len(attribute.numbers) == len(attribute.values)
