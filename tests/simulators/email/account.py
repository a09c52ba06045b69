"""Whose mailbox the IMAP server of the tests keeps."""

USER, PASSWORD = "bot@huibao.example.org", "invented-password"
