"""The ground everything stands on: messages, bus, tables, obligation engine, clock, audit."""
