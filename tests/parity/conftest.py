from tests.scenarios.conftest import official_wheel  # noqa: F401
