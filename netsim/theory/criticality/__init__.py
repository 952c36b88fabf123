"""Critical couplings (C_W, C_b, K*) of an activation, their class, and what follows at large depth."""
