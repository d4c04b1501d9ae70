/*
 * Backend modules for tests of the registry: tests/fake_backend.c under the name of a real one, in
 * folders of their own, and this very program as a process that looks there.
 */
#ifndef S2CLR_TESTS_MODULE_RIG_H
#define S2CLR_TESTS_MODULE_RIG_H

#include <stdbool.h>

/* Fails the test unless `wanted` is in `text`. */
void module_says(const char *text, const char *wanted);

/* A fresh folder below the test folder; the second: in which the fake module is called `file`. All
 * borrowed until the next call. */
const char *module_folder(const char *name);
const char *module_folder_with(const char *name, const char *file);
const char *module_fake(void); /* the file itself */

/* What this program prints, called with `mode word` in the folder of a module. with_driver: the
 * loader finds a library of the driver's name there. */
const char *module_answer(const char *folder, const char *fake, bool with_driver, const char *mode,
                          const char *word);

#endif
