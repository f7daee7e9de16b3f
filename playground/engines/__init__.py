"""What runs a model: the worker process, its protocol, and the pool of loaded models."""
