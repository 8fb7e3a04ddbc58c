"""What the tests of several folders share: see `CONTRIBUTING.md`."""
