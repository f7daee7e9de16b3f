"""The Results screen: runs, a run under way, its verdict, a task. Imported when it is first asked for."""
