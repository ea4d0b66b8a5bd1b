"""Who, when, what happened: tables in, tables out. Knows no signal."""
