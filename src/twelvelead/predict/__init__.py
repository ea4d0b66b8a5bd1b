"""Features and an outcome to an explained risk."""
