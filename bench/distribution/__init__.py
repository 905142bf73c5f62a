"""What companies and distributors ask for by the API, measured."""
