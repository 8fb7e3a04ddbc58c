"""The pages: what visitors see and do."""
