"""Where things live: tables, artifacts, ledger, tracking and registry; the outside world, typed."""
