"""Recording to embedding by a self-supervised encoder. To come; needs the extra torch."""
