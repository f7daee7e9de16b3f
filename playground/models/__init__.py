"""What can be run on this machine: model files, their headers, the hardware, and whether they fit."""
