"""Tables, figures and pages of the report, from records only: nothing is trained here."""
