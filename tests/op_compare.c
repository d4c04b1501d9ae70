#include "op_compare.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

/* ---- comparison ---- */

void op_fail(const char *backend, const s2clr_op_desc *d, const char *what)
{
    char op[160], text[700];
    op_describe(d, op);
    snprintf(text, sizeof text, "%s, %s: %s", backend, op, what);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void compare(const op_rig *rig, const op_data *got, const op_data *wanted)
{
    const char *const kernel = rig->backend->op_kernel(rig->op);
    const double tolerance = s2clr_op_tolerance(S2CLR_F32, kernel);
    char text[400];
    double norm, largest;
    for (int f = 0; f < OP_FIELDS; f++) {
        if (!got->count[f]) continue;
        s2clr_op_distance(got->value[f], wanted->value[f], got->count[f], &norm, &largest);
        if (norm <= tolerance && largest <= S2CLR_OP_LARGEST * tolerance) continue;
        snprintf(text, sizeof text, "%s is off by %.3g of its norm, %.3g of its maximum (%s)",
                 op_field_name((op_field)f), norm, largest, kernel);
        op_fail(rig->backend->name, &rig->desc, text);
    }
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < got->sums_count; j++) {
            const double a = got->sums[i][j], b = wanted->sums[i][j];
            if (fabs(a - b) <= 1e-9 * fabs(b)) continue;
            snprintf(text, sizeof text, "%s sum %zu is %.12g instead of %.12g",
                     i ? "backward" : "forward", j, a, b);
            op_fail(rig->backend->name, &rig->desc, text);
        }
}

static bool same_bits(const op_data *a, const op_data *b)
{
    bool same = true;
    for (int f = 0; f < OP_FIELDS; f++)
        if (a->count[f]) same &= memcmp(a->value[f], b->value[f], a->count[f] * sizeof(float)) == 0;
    for (int i = 0; i < 2; i++)
        if (a->sums_count)
            same &= memcmp(a->sums[i], b->sums[i], a->sums_count * sizeof(double)) == 0;
    return same;
}

/* ---- running ---- */

typedef struct job {
    const op_rig *rig;
    op_data data;
    s2clr_status status;
    char text[512]; /* error texts are per thread */
} job;

static void *work(void *argument)
{
    job *const j = argument;
    j->status = op_rig_run(j->rig, &j->data);
    snprintf(j->text, sizeof j->text, "%s", s2clr_error_text());
    return NULL;
}

/* oneDNN's reference code is a hundred times slower than anything else: a trap, not a kernel. */
static void check_kernel(const op_rig *rig)
{
    const char *const kernel = rig->backend->op_kernel(rig->op);
    if (strncmp(kernel, "ref", 3) == 0 || strstr(kernel, " ref"))
        op_fail(rig->backend->name, &rig->desc, kernel);
}

static void run_twice(const op_rig *rig, const op_data *wanted)
{
    check_kernel(rig);
    job jobs[2] = {{.rig = rig}, {.rig = rig}};
    for (int i = 0; i < 2; i++) op_data_new(&rig->desc, 3, &jobs[i].data);
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, work, &jobs[1]), 0);
    work(&jobs[0]);
    pthread_join(thread, NULL);
    for (int i = 0; i < 2; i++)
        if (jobs[i].status != S2CLR_OK) op_fail(rig->backend->name, &rig->desc, jobs[i].text);
    if (jobs[0].status == S2CLR_OK && jobs[1].status == S2CLR_OK) {
        compare(rig, &jobs[0].data, wanted);
        if (!same_bits(&jobs[0].data, &jobs[1].data))
            op_fail(rig->backend->name, &rig->desc, "two threads got different bits");
    }
    for (int i = 0; i < 2; i++) op_data_free(&jobs[i].data);
}

void op_run_portable(const s2clr_op_desc *d, op_data *data)
{
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    op_rig rig;
    TEST_OK(s2clr_backend_find("portable", &be));
    TEST_OK(be->device_open("", S2CLR_F32, &device));
    TEST_OK(op_rig_open(be, device, d, &rig));
    TEST_OK(op_rig_run(&rig, data));
    op_rig_close(&rig);
    be->device_close(device);
}

void op_everywhere(const s2clr_op_desc *d, void (*check)(const op_rig *rig, const op_data *wanted),
                   const op_data *wanted)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++) {
        const s2clr_backend *const be = entries[i].backend;
        if (!be) continue;
        s2clr_device *device = NULL;
        op_rig rig;
        TEST_OK(be->device_open("", S2CLR_F32, &device));
        if (op_rig_open(be, device, d, &rig) == S2CLR_OK)
            check(&rig, wanted);
        else
            op_fail(be->name, d, s2clr_error_text());
        op_rig_close(&rig);
        be->device_close(device);
    }
}

void op_check_everywhere(const s2clr_op_desc *d)
{
    op_data wanted;
    op_data_new(d, 3, &wanted);
    op_run_portable(d, &wanted);
    op_everywhere(d, run_twice, &wanted);
    op_data_free(&wanted);
}
