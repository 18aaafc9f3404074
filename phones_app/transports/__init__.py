"""How this machine talks to phones and servers: values in, a result or a TransportError out; no Django, no decisions."""
