/*
 * No architecture of the table may end in oneDNN's reference code, which is a hundred times slower
 * than its kernels: every convolution of every network, forward and backward, at the patch size and
 * the numbers of bands that models are trained with.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "op_compare.h"

enum { PATCH = 120, SEEN_MAX = 4096 };

typedef struct rig {
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_op_desc seen[SEEN_MAX]; /* networks repeat their layers */
    size_t count;
} rig;

static bool was_seen(rig *r, const s2clr_op_desc *d)
{
    for (size_t i = 0; i < r->count; i++)
        if (memcmp(&r->seen[i], d, sizeof *d) == 0) return true;
    CU_ASSERT_FATAL(r->count < SEEN_MAX);
    r->seen[r->count++] = *d;
    return false;
}

static void check_op(rig *r, const s2clr_op_desc *d)
{
    s2clr_op *op = NULL;
    if (was_seen(r, d)) return;
    TEST_OK(r->backend->op_new(r->device, d, &op));
    if (!op) return;
    const char *const kernel = r->backend->op_kernel(op);
    if (strncmp(kernel, "ref", 3) == 0 || strstr(kernel, " ref"))
        op_fail(r->backend->name, d, kernel);
    r->backend->op_free(op);
}

static void check_net(rig *r, const char *name, int bands)
{
    s2clr_arch arch = {.channels = bands, .outputs = 1, .projections = 1, .projection = {128}};
    s2clr_net *net = NULL;
    snprintf(arch.name, sizeof arch.name, "%s", name);
    TEST_OK(s2clr_net_new(&arch, &net));
    if (!net) return;
    const size_t nodes = s2clr_net_node_count(net);
    s2clr_shape *const shapes = calloc(nodes, sizeof *shapes);
    CU_ASSERT_FATAL(shapes != NULL);
    TEST_OK(s2clr_net_shapes(net, 4, PATCH, PATCH, shapes));
    for (size_t i = 0; i < nodes; i++) {
        const s2clr_node *node = s2clr_net_node(net, i);
        if (node->kind != S2CLR_NODE_CONV) continue;
        s2clr_op_desc d;
        memset(&d, 0, sizeof d); /* padding too: descriptions are compared */
        d.kind = S2CLR_OP_CONV;
        d.x = shapes[node->input[0]];
        d.y = shapes[i];
        d.window = node->window;
        d.groups = node->groups;
        d.bias = node->bias;
        d.training = true;
        check_op(r, &d);
        d.training = false;
        d.bias = d.relu = true; /* as folded */
        check_op(r, &d);
    }
    free(shapes);
    s2clr_net_free(net);
}

static void no_network_runs_on_reference_code(void)
{
    static rig r;
    const s2clr_arch_entry *entries;
    const size_t count = s2clr_arch_list(&entries);
    if (s2clr_backend_find("onednn", &r.backend) != S2CLR_OK) {
        test_skip(s2clr_error_text());
        return;
    }
    TEST_OK(r.backend->device_open("", S2CLR_F32, &r.device));
    for (size_t i = 0; i < count; i++) check_net(&r, entries[i].name, i % 2 ? 10 : 12);
    CU_ASSERT(r.count > 100);
    r.backend->device_close(r.device);
}

static const test_case cases[] = {
    {"no_network_runs_on_reference_code", no_network_runs_on_reference_code},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("kernels", cases, argc, argv);
}
