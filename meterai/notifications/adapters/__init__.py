"""Mail servers, as notifications sees them."""
