"""What selling, batches, checks and webhooks cost: each bench prints ratios against a peer of its own run."""
