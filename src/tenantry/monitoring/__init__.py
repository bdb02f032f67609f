"""How predicted windows are judged: decay against the promise, drift of features, Evidently."""
