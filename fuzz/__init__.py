"""Coverage-guided fuzzing of the code that reads bytes from strangers. See README.md."""
