"""To paper: from a stroke program to the movements of a plotter or robot arm, in millimetres."""
