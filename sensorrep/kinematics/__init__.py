"""Pure mathematics of turning legs, used by the stages: axes, excursions, boundaries, smoothness, posture."""
