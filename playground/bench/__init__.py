"""Coding suites: tasks, the code in an answer, the sandbox, the judge, runs, statistics, reports. No Qt."""
