"""The models on this disk, whoever put them there: found, told apart, hashed, deleted."""
