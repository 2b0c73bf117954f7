"""The edge to AWS Lambda: settings, logs and metrics, handler decorators, wiring."""
