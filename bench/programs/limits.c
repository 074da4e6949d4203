/*
 * What the kernel itself takes: the calls that a SocketLock and a FileLock
 * cannot do without, and nothing else. Speaks as contender.ts does: reads a line
 * for each measurement, which says for how many milliseconds, such as
 * {"order":"cycles","ms":60}, and answers with the microseconds of one, such as
 * {"us":2.9}.
 *
 *     limits socket NAME
 *     limits file PATH
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length;
static const char *path;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void socket_cycle(void) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  if (bind(fd, (struct sockaddr *)&address, address_length)) fail("bind");
  if (listen(fd, 511)) fail("listen");
  if (close(fd)) fail("close");
}

static void file_cycle(void) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) fail("open");
  if (flock(fd, LOCK_EX | LOCK_NB)) fail("flock");
  if (close(fd)) fail("close");
}

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
  if (count != 3) return 64;
  int is_socket = !strcmp(arguments[1], "socket");
  path = arguments[2];
  /* An abstract address begins with a zero. */
  size_t length = strlen(path);
  if (is_socket) {
    if (length > sizeof address.sun_path - 1) return 64;
    memcpy(address.sun_path + 1, path, length);
    address_length = offsetof(struct sockaddr_un, sun_path) + 1 + length;
  }
  void (*cycle)(void) = is_socket ? socket_cycle : file_cycle;
  puts("{\"ready\":true}");
  fflush(stdout);
  char line[256];
  while (fgets(line, sizeof line, stdin)) {
    const char *ms = strstr(line, "\"ms\":");
    if (!ms) return 64;
    double from = now_us(), end = from + atof(ms + 5) * 1000, now = from;
    long cycles = 0;
    for (; now < end; now = now_us()) {
      for (int i = 0; i < 16; i++) cycle();
      cycles += 16;
    }
    printf("{\"us\":%.4f}\n", (now - from) / cycles);
    fflush(stdout);
  }
  return 0;
}
