"""A lake for runs without a source."""

import pytest

from tests.conftest import TestLake
from tests.unit.orchestrate.marts import Marts


@pytest.fixture(scope="package")
def people_tag(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tag of a silver table of people that is made once: making it takes longer than all that is asked of it."""
    spark, profile = request.getfixturevalue("spark"), request.getfixturevalue("profile")
    folder = tmp_path_factory.mktemp("people")
    Marts(TestLake(folder / "registry", spark, profile), "people", folder).load()
    return "people"
