/* Making a store is killed at random moments and started again, until it is finished: it is then
 * the same as one made without. The maker is this program itself, started anew. */
#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/philox.h"
#include "base/status.h"
#include "store_rig.h"

enum { PATCHES = 120, PX = 12, BATCH = 10, SEED = 8 };

/* ---- the maker ---- */

static void tell(void *context)
{
    (void)context;
    if (write(1, ".", 1) != 1) _exit(3);
}

/* One dot before and after, and one per patch. */
static int make(const char *path)
{
    tell(NULL);
    const s2clr_status status = rig_store_fill(path, 0, PATCHES, PX, BATCH, true, tell, NULL);
    if (status != S2CLR_OK) fprintf(stderr, "%s\n", s2clr_error_text());
    return status == S2CLR_OK ? 0 : 2;
}

/* ---- the killer ---- */

static pid_t start_maker(const char *path, int *from)
{
    int ends[2];
    if (pipe(ends) != 0) return -1;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "test_store_kill", "--make", path, (char *)NULL);
        _exit(4);
    }
    close(ends[1]);
    *from = ends[0];
    return child;
}

/* Kills after so many dots and a random bit of time; the exit code, or -1 when killed. */
static int make_and_kill(const char *path, unsigned dots, unsigned microseconds)
{
    int from = -1, status;
    char dot;
    const pid_t child = start_maker(path, &from);
    CU_ASSERT_FATAL(child > 0);
    while (dots > 0 && read(from, &dot, 1) == 1) dots--;
    if (dots == 0) {
        usleep(microseconds);
        kill(child, SIGKILL);
    }
    close(from);
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void killed_at_random(const char *name, const char *whole, uint64_t stream, unsigned span)
{
    const char *path = store_rig_path(name);
    int kills = 0, code = -1;
    for (unsigned turn = 0; turn < 6 && code == -1; turn++) {
        const unsigned dots = 1 + s2clr_random_below(SEED, stream, 2 * turn, span);
        const unsigned wait = s2clr_random_below(SEED, stream, 2 * turn + 1, 3000);
        code = make_and_kill(path, dots, wait);
        kills += code == -1;
    }
    CU_ASSERT_TRUE(code == -1 || code == 0);
    CU_ASSERT_TRUE(kills > 0);
    TEST_OK(rig_store_fill(path, 0, PATCHES, PX, BATCH, true, NULL, NULL));
    CU_ASSERT_EQUAL(rig_store_keys(path), PATCHES);
    rig_stores_equal(path, whole);
}

static const char *whole_store(void)
{
    static char path[4300];
    if (!path[0]) snprintf(path, sizeof path, "%s", rig_store_make("whole", 0, PATCHES, PX));
    return path;
}

static void killed_while_being_opened(void)
{
    killed_at_random("killed-early", whole_store(), 1, 2);
}

static void killed_between_commits(void)
{
    killed_at_random("killed-often", whole_store(), 2, 40);
}

/* All patches are there, and some are not committed, or the index is being finished. */
static void killed_near_the_end(void)
{
    for (unsigned turn = 0; turn < 4; turn++) {
        char name[24];
        snprintf(name, sizeof name, "killed-late-%u", turn);
        const char *path = store_rig_path(name);
        make_and_kill(path, PATCHES + 1, s2clr_random_below(SEED, 3, turn, 30000 * (turn + 1)));
        TEST_OK(rig_store_fill(path, 0, PATCHES, PX, PATCHES, true, NULL, NULL));
        rig_stores_equal(path, whole_store());
    }
}

/* A kill while a finished store gets more patches. */
static void killed_while_appending(void)
{
    const char *path = store_rig_path("killed-appending");
    TEST_OK(rig_store_fill(path, 0, 50, PX, PATCHES, true, NULL, NULL));
    CU_ASSERT_EQUAL(make_and_kill(path, 65, 100), -1);
    CU_ASSERT_EQUAL(make_and_kill(path, 81, 100), -1);
    TEST_OK(rig_store_fill(path, 0, PATCHES, PX, BATCH, true, NULL, NULL));
    rig_stores_equal(path, whole_store());
}

static const test_case cases[] = {
    {"killed_while_being_opened", killed_while_being_opened},
    {"killed_between_commits", killed_between_commits},
    {"killed_near_the_end", killed_near_the_end},
    {"killed_while_appending", killed_while_appending},
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--make") == 0) return make(argv[2]);
    return TEST_MAIN("store kill", cases, argc, argv);
}
