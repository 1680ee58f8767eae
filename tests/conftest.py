import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Tests make what they need; they neither use nor fill the user's cache."""
    os.environ["IQA_CACHE"] = str(tmp_path_factory.mktemp("cache"))
