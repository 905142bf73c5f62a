"""Money measured: what it costs to compare records with the books."""
