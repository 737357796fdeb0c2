#include "tide.h"

/* What cmake measured, and what the compiler says. */
int tide_measured(void) { return TIDE_POINTER; }
int tide_compiled(void) { return (int)sizeof(void *); }
