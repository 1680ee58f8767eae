import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Tests make what they need once; they neither use nor fill the user's cache."""
    base = tmp_path_factory.getbasetemp()
    # The workers of pytest-xdist have folders of their own in one that they share.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["IQA_CACHE"] = str(shared / "cache")
