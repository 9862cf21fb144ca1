"""Lakes of their own, as the end-to-end tests have them."""

from tests.e2e.conftest import make_sandbox

__all__ = ["make_sandbox"]
