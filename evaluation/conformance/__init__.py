"""What every explainer and every detector must keep, as checks that say in plain words what to fix."""
