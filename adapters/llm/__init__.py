"""The optional helper for reading: a language model behind an OpenAI-compatible endpoint."""
