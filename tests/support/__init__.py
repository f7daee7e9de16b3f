"""What the tests share: tiny models and scripted fakes."""
