"""Contract suites for every port, and the doubles that go with them."""
