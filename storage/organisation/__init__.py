"""The organisation as tables: who is who, which site is whose, who is on duty."""
