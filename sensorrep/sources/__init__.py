"""Where packets come from: the radio, a recording, a CSV table, a simulated wearer."""
