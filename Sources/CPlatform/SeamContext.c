// One pointer a thread, one flag a process: what a simulation installs under the engine.
//
// The flag only ever goes from 0 to 1. It is a hint that spares ordinary processes the look at
// thread-local storage; the pointer decides.
#include "CPlatform.h"

_Thread_local void *platform_seam_context_slot;
unsigned char platform_seam_armed_flag;
