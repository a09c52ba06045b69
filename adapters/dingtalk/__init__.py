"""DingTalk: robot messages in (stream or HTTP), words, cards and DING out."""
