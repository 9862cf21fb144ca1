"""Generated source data for the demo and the tests."""
