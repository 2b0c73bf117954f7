"""What the services ask for, made real: Replicate, PostgreSQL, DynamoDB, Redis, S3, Step Functions."""
