"""What the tests of several folders share: clients, waiting, tokens, processes, databases."""
