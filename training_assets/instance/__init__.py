"""The Dagster instance: what launches, queues, watches and retries runs. Its settings are in dagster.yaml."""
