/*
 * What the bootstraps of all runtimes have in common. Lambda starts /opt/bootstrap, which prepares
 * environment and arguments and becomes the interpreter: a program, because a shell would take a
 * millisecond of every start.
 *
 * Memory is never freed: the process is about to become another one.
 */
#pragma once

#include <stdbool.h>

/* Most arguments of an interpreter. */
enum { MAX_ARGUMENTS = 32 };

/* Folder of the layer, from the bootstrap's own path: the tree also runs outside /opt. */
extern const char *layer;

/* Takes main's arguments; comes first. */
void begin(char **arguments);

/* A text in the manner of printf. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A variable of the environment, empty without one. */
const char *variable(const char *name);

/* Sets a variable. */
void set(const char *name, const char *value);

/* Sets a variable that has no value yet. */
void set_default(const char *name, const char *value);

/* Puts an entry in front of a list of paths in a variable, or behind it. */
void put_first(const char *name, const char *path);
void put_last(const char *name, const char *path);

bool is_folder(const char *path);
bool is_file(const char *path);

/*
 * Flag for a nursery of so many MiB, NULL where `given` has one. V8 sizes its nursery by the machine: a
 * few large events fill tens of megabytes of a large one, and die slowly in a small one.
 */
const char *semi_space(const char *given, int mebibytes);

/*
 * Flag for a heap of nine tenths of the function's memory, NULL where `given` has one or the memory is
 * not known. V8 would take half of it and some gigabytes at most; Lambda's own Node.js runtimes give it
 * nine tenths.
 */
const char *old_space(const char *given);

/* Adds an argument for the interpreter; NULL adds none. */
void argument(const char *value);

/*
 * Becomes the interpreter, `bin/<name>` of the layer, or what AWS_LAMBDA_EXEC_WRAPPER names, which gets
 * the whole command line, as under Lambda's own runtimes. Returns the exit code of a failure, after a
 * message: 127 for a program that is not there, 126 for one that cannot be started.
 */
int launch(const char *name);
