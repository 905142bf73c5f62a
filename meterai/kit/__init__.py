"""Kit: values, rules and refusals that touch nothing outside memory."""
