"""The Frontend of MyThoughts: its web pages."""
