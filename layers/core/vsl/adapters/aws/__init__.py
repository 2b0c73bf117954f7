"""boto3 clients, and the AWS services that need one call: SSM, Step Functions, Lambda, EventBridge, SQS."""
