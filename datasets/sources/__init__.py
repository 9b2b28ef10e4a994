"""Where real data sets come from: ADBench, scikit-learn, files and folders, and the user's own code."""
