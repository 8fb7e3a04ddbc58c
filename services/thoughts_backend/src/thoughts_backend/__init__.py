"""The Thoughts Backend: stores, lists and searches thoughts."""
