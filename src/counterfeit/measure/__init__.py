"""How good samples are: metrics as pure functions of arrays, on fixed protocols."""
