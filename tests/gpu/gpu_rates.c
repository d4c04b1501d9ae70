/*
 * How fast a device is, and whether its answers are right:
 *
 *     gpu_rates infer DEVICE NETWORK PRECISION SIDE BATCH SECONDS
 *     gpu_rates infer cuda resnet50 bf16 120 256 5
 *
 * and likewise steps, dense, scene and contrast: see gpu_job.h. Prints one line of JSON. Exit
 * status 1 with one line when something fails.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "gpu_job.h"

static const struct {
    const char *name;
    s2clr_status (*run)(gpu_job *j);
} measurements[] = {
    {"infer", gpu_infer}, {"steps", gpu_steps},       {"dense", gpu_dense},
    {"scene", gpu_scene}, {"contrast", gpu_contrast},
};

enum { MEASUREMENTS = sizeof measurements / sizeof measurements[0] };

void gpu_say(gpu_job *j, const char *format, ...)
{
    const size_t used = strlen(j->said);
    const int start = snprintf(j->said + used, sizeof j->said - used, ", ");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(j->said + used + start, sizeof j->said - used - (size_t)start, format, arguments);
    va_end(arguments);
}

s2clr_status gpu_noise(size_t count, float **out)
{
    float *const x = malloc(count * sizeof *x);
    if (!x)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for %zu numbers: smaller BATCH", count);
    for (size_t i = 0; i < count; i++) x[i] = 2 * s2clr_random_uniform(1, 1, i) - 1;
    *out = x;
    return S2CLR_OK;
}

size_t gpu_floats(const gpu_job *j, int batch)
{
    return (size_t)batch * GPU_BANDS * (size_t)j->side * (size_t)j->side;
}

s2clr_status gpu_net(gpu_job *j, const s2clr_arch *arch)
{
    S2CLR_TRY(s2clr_net_new(arch, &j->net));
    j->params = malloc(s2clr_net_param_count(j->net) * sizeof(float));
    if (!j->params) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the weights");
    return s2clr_net_init(j->net, 1, j->params);
}

static int usage(void)
{
    fputs("usage: gpu_rates ", stderr);
    for (size_t i = 0; i < MEASUREMENTS; i++)
        fprintf(stderr, "%s%s", i ? " | " : "", measurements[i].name);
    fputs(" DEVICE NETWORK PRECISION SIDE BATCH AMOUNT\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    size_t which = 0;
    if (argc != 8) return usage();
    while (which < MEASUREMENTS && strcmp(measurements[which].name, argv[1]) != 0) which++;
    if (which == MEASUREMENTS) return usage();
    gpu_job j = {.device = argv[2],
                 .network = argv[3],
                 .side = atoi(argv[5]),
                 .batch = atoi(argv[6]),
                 .amount = atof(argv[7])};
    s2clr_status status = s2clr_precision_parse(argv[4], &j.precision);
    if (status == S2CLR_OK) status = measurements[which].run(&j);
    if (status == S2CLR_OK)
        printf("{\"what\": \"%s\", \"network\": \"%s\", \"precision\": \"%s\", \"side\": %d, "
               "\"batch\": %d%s}\n",
               argv[1], j.network, argv[4], j.side, j.batch, j.said);
    else
        fprintf(stderr, "gpu_rates: %s %s %s: %s\n", argv[1], j.network, argv[4],
                s2clr_error_text());
    s2clr_net_free(j.net);
    free(j.params);
    return status == S2CLR_OK ? 0 : 1;
}
