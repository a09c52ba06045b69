"""E-mail: letters in by IMAP, letters out by SMTP."""
