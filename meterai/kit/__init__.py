"""Pure building blocks: values, rules and refusals that touch nothing outside memory."""
