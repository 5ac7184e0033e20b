// Programs started beside this one, with a pipe on which they report. See ChildProcess.swift.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

extern char **environ;

int platform_report_pipe(int ends[2]) {
  if (pipe(ends) != 0) return -1;
  for (int end = 0; end < 2; end++) (void)fcntl(ends[end], F_SETFD, FD_CLOEXEC);
#if defined(F_SETPIPE_SZ)
  // So that the reader holds nobody up. A system that gives less does no harm.
  (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
#endif
  return 0;
}

int64_t platform_spawn(
    const char *program, char *const *arguments, int reports, const char *log) {
  posix_spawn_file_actions_t actions;
  pid_t child = -1;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) {
    errno = error;
    return -1;
  }
  if (error == 0)
    error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (error == 0)
    error = posix_spawn_file_actions_addopen(
        &actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (error == 0)
    error = posix_spawn_file_actions_adddup2(&actions, reports, PLATFORM_REPORT_DESCRIPTOR);
  if (error == 0) error = posix_spawn(&child, program, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    errno = error;
    return -1;
  }
  return child;
}

int platform_wait(int64_t child, int *code) {
  int status = 0;
  for (;;) {
    if (waitpid((pid_t)child, &status, 0) >= 0) break;
    if (errno != EINTR) return -1;
  }
  *code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  return 0;
}

void platform_end_with_parent(void) {
#if defined(__linux__)
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

static uint64_t nanoseconds(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

uint64_t platform_processor_time(void) {
  uint64_t sum = 0;
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) == 0)
    sum += nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
  if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
    sum += nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
  return sum;
}
