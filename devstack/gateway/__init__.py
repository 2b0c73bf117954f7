"""The local front of the REST API: an OpenAPI document in, what API Gateway would do with it out.

The engine's own API Gateway drops templates, validators, models and Step Functions integrations
when it imports a document; this one reads the very document that is deployed, so it is tested too.
"""
