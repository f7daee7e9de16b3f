"""What scores can prove: intervals, tests, probabilities, sizes of runs. Pure functions of numbers; knows no run."""
