"""From the submission to the end of the prediction: the task token, the webhook, the poller, the timeout."""
