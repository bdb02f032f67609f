"""Where rows come from: named connections, and readers that push filters down."""
