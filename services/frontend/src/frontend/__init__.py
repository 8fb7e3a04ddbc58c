"""The Frontend of MyThoughts: the web pages."""
