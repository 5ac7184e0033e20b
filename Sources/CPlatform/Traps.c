// Traps (a failed precondition, an overflow, a wild pointer) of one operating-system thread, taken by a
// scheduler of fibres: it leaves the stack that trapped and goes on with another.
//
// The signal is handled on the stack that trapped, and not blocked meanwhile, so that leaving the
// handler by a switch leaves nothing behind. Where that stack has overflowed the process dies, as
// without all this.
#define _GNU_SOURCE
#include "Fibre.h"

#include <pthread.h>
#include <signal.h>

#if PLATFORM_ASAN
void *platform_traps_catch(platform_trap_handler handler, void *context) {
  (void)handler;
  (void)context;
  return NULL;
}
#else

static _Thread_local platform_trap_handler trap_handler;
static _Thread_local void *trap_context;

static const int trap_signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
enum { TRAP_SIGNALS = sizeof trap_signals / sizeof trap_signals[0] };
static struct sigaction trap_former[TRAP_SIGNALS];
static pthread_once_t trap_once = PTHREAD_ONCE_INIT;

static void trapped(int signal) {
  if (trap_context) trap_handler(trap_context, signal);
  // Nobody here can help. What trapped is done again, and ends as it would have without this.
  for (int index = 0; index < TRAP_SIGNALS; index++) {
    if (trap_signals[index] == signal) sigaction(signal, &trap_former[index], NULL);
  }
}

static void install(void) {
  struct sigaction action = {0};
  action.sa_handler = trapped;
  action.sa_flags = SA_NODEFER;
  sigemptyset(&action.sa_mask);
  for (int index = 0; index < TRAP_SIGNALS; index++) {
    sigaction(trap_signals[index], &action, &trap_former[index]);
  }
}

void *platform_traps_catch(platform_trap_handler handler, void *context) {
  void *former = trap_context;
  if (context) pthread_once(&trap_once, install);
  trap_handler = handler;
  trap_context = context;
  return former;
}
#endif

const char *platform_trap_name(int signal) {
  switch (signal) {
    case SIGILL: case SIGTRAP: return "a failed check";
    case SIGSEGV: case SIGBUS: return "a wild pointer";
    case SIGFPE: return "arithmetic";
    case SIGABRT: return "an abort";
    default: return "a signal";
  }
}
