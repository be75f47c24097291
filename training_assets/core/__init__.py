"""How things are done, in plain Python: imports neither dagster nor mlflow."""
