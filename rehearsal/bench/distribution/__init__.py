"""Benches of distribution: deposits and statements, batches, checks of many documents, webhooks."""
