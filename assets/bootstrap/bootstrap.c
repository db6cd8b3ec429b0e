#define _GNU_SOURCE
#include "bootstrap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

const char *layer;

/* SHA-256 of the sources. */
static const char sources[] __attribute__((used, retain)) = SOURCES;

static const char *own_path;
static char *command[MAX_ARGUMENTS];
/* The first two are for the wrapper script and the interpreter. */
static int count = 2;

static _Noreturn void fail(const char *reason) {
  fprintf(stderr, "bootstrap: %s\n", reason);
  exit(1);
}

void begin(char **arguments) {
  own_path = arguments[0];
  /* Whoever starts a program may call it what he likes; the kernel knows what it has opened. */
  if (own_path == NULL || strchr(own_path, '/') == NULL) own_path = (const char *)getauxval(AT_EXECFN);
  const char *slash = own_path ? strrchr(own_path, '/') : NULL;
  layer = slash ? text("%.*s", (int)(slash - own_path), own_path) : ".";
  /* A shell would have set it, and so do Lambda's own runtimes. */
  const char *folder = getcwd(NULL, 0);
  if (folder) set("PWD", folder);
}

char *text(const char *format, ...) {
  char *made;
  va_list values;
  va_start(values, format);
  if (vasprintf(&made, format, values) < 0) fail("out of memory");
  va_end(values);
  return made;
}

const char *variable(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

void set(const char *name, const char *value) {
  if (setenv(name, value, true) != 0) fail("out of memory");
}

void set_default(const char *name, const char *value) {
  if (*variable(name) == '\0') set(name, value);
}

void put_first(const char *name, const char *path) {
  const char *others = variable(name);
  set(name, *others ? text("%s:%s", path, others) : path);
}

void put_last(const char *name, const char *path) {
  const char *others = variable(name);
  set(name, *others ? text("%s:%s", others, path) : path);
}

bool is_folder(const char *path) {
  struct stat found;
  return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

bool is_file(const char *path) {
  struct stat found;
  return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

const char *semi_space(const char *given, int mebibytes) {
  if (strstr(given, "semi-space") || strstr(given, "semi_space")) return NULL;
  return text("--max-semi-space-size=%d", mebibytes);
}

const char *old_space(const char *given) {
  if (strstr(given, "old-space") || strstr(given, "old_space")) return NULL;
  const char *memory = variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
  const size_t digits = strspn(memory, "0123456789");
  if (digits == 0 || digits > 9 || memory[digits] != '\0') return NULL;
  return text("--max-old-space-size=%ld", atol(memory) * 9 / 10);
}

void argument(const char *value) {
  if (value == NULL) return;
  /* One place stays for the NULL at the end. */
  if (count == MAX_ARGUMENTS - 1) fail("too many arguments for the interpreter");
  command[count++] = (char *)value;
}

static bool same_file(const char *one, const char *other) {
  struct stat a, b;
  return other && stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Says why a program could not be started, as errno has it. */
static int not_started(const char *program) {
  const int error = errno;
  const bool lacks_interpreter = error == ENOENT && strchr(program, '/') && access(program, F_OK) == 0;
  fprintf(stderr, "bootstrap: %s cannot be started: %s\n", program,
          lacks_interpreter ? "what its first line or header names is not there" : strerror(error));
  return error == ENOENT ? 127 : 126;
}

int launch(const char *name) {
  command[1] = text("%s/bin/%s", layer, name);
  const char *wrapper = variable("AWS_LAMBDA_EXEC_WRAPPER");
  if (*wrapper == '\0') {
    execvp(command[1], command + 1);
    return not_started(command[1]);
  }
  /* Lambda merges all layers at /opt, and a wrapper of another one may be called bootstrap, too. */
  if (same_file(wrapper, own_path)) {
    fprintf(stderr,
            "bootstrap: AWS_LAMBDA_EXEC_WRAPPER names %s, which is the bootstrap of the runtime itself\n",
            own_path);
    return 126;
  }
  command[0] = (char *)wrapper;
  execvp(wrapper, command);
  if (errno != ENOEXEC) return not_started(wrapper);
  /* Without an interpreter line it is the shell's, as for every other program that starts it. */
  char *script[MAX_ARGUMENTS + 1] = {"/bin/sh"};
  memcpy(script + 1, command, sizeof command);
  execvp(script[0], script);
  return not_started(script[0]);
}
