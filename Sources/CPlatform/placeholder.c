#include "CPlatform.h"
_Thread_local void *platform_seam_context_slot;
unsigned char platform_seam_armed_flag;
_Thread_local int32_t platform_thread_slot_value = -1;
