"""What tests stand on; no tests here."""
