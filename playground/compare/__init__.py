"""One comparison: prompts, the plan of a run, the run, and what is said about it."""
