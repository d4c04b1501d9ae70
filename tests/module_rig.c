#define _GNU_SOURCE
#include "module_rig.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

void module_says(const char *text, const char *wanted)
{
    char message[2200];
    snprintf(message, sizeof message, "'%s' should contain '%s'", text, wanted);
    CU_assertImplementation(strstr(text, wanted) != NULL, __LINE__, message, __FILE__, "",
                            CU_FALSE);
}

const char *module_folder(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    CU_ASSERT_FATAL(mkdir(path, 0700) == 0);
    return path;
}

const char *module_fake(void)
{
    static char module[PATH_MAX + 32];
    char executable[PATH_MAX];
    CU_ASSERT_FATAL(realpath("/proc/self/exe", executable) != NULL);
    /* The program lies in BUILD/tests, or in BUILD/tests/.libs behind libtool's wrapper. */
    char *slash = strrchr(executable, '/');
    *slash = '\0';
    slash = strrchr(executable, '/');
    if (strcmp(slash, "/.libs") == 0) *slash = '\0';
    snprintf(module, sizeof module, "%s/.libs/fake_backend.so", executable);
    CU_ASSERT_FATAL(access(module, R_OK) == 0);
    return module;
}

const char *module_folder_with(const char *name, const char *file)
{
    char link[PATH_MAX + 32];
    const char *const folder = module_folder(name);
    snprintf(link, sizeof link, "%s/%s", folder, file);
    CU_ASSERT_FATAL(symlink(module_fake(), link) == 0);
    return folder;
}

const char *module_answer(const char *folder, const char *fake, bool with_driver, const char *mode,
                          const char *word)
{
    static char text[2048];
    char program[PATH_MAX], line[4 * PATH_MAX], driver[PATH_MAX + 32];
    const char *const libraries = getenv("LD_LIBRARY_PATH");
    CU_ASSERT_FATAL(realpath("/proc/self/exe", program) != NULL);
    snprintf(driver, sizeof driver, "%s/libcuda.so.1", folder);
    if (with_driver) CU_ASSERT_FATAL(symlink(module_fake(), driver) == 0);
    snprintf(line, sizeof line,
             "LD_LIBRARY_PATH='%s:%s' S2CLR_BACKEND_PATH='%s' S2CLR_FAKE=%s '%s' %s '%s'", folder,
             libraries ? libraries : "", folder, fake, program, mode, word);
    FILE *const pipe_end = popen(line, "r");
    CU_ASSERT_FATAL(pipe_end != NULL);
    text[fread(text, 1, sizeof text - 1, pipe_end)] = '\0';
    CU_ASSERT_EQUAL(pclose(pipe_end), 0);
    if (with_driver) unlink(driver);
    return text;
}
