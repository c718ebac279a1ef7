"""The stand-in itself, over real sockets: a switch that did nothing would fail here."""
