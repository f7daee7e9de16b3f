"""Models and pairs worth trying, and how their publishers want them sampled."""
