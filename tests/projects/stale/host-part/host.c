#ifndef MARK
#define MARK no mark
#endif
#ifdef __AVX2__
#define MACHINE of a newer machine
#else
#define MACHINE of any machine
#endif
MARK MACHINE
