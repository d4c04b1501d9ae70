/* The interpreter: ONNX's operators as https://onnx.ai/onnx/operators describes them, in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "onnx_rig.h"

typedef struct call {
    onnx_file *file;
    const onnx_node *node;
    const onnx_tensor *in[6];
    onnx_tensor *out;
} call;

static const onnx_attribute *attribute(const call *c, const char *name)
{
    for (int i = 0; i < c->node->attributes; i++)
        if (strcmp(c->node->attribute[i].name, name) == 0) return &c->node->attribute[i];
    return NULL;
}

static int64_t whole(const call *c, const char *name, int index, int64_t standard)
{
    const onnx_attribute *a = attribute(c, name);
    return a ? a->ints[index] : standard;
}

static void shape(onnx_tensor *t, int rank, int64_t n, int64_t ch, int64_t h, int64_t w)
{
    const int64_t dims[4] = {n, ch, h, w};
    t->rank = rank;
    t->count = 1;
    for (int i = 0; i < rank; i++) t->count *= (size_t)(t->dims[i] = dims[i]);
    t->values = calloc(t->count, sizeof *t->values);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->values);
}

static void same_shape(call *c)
{
    const int64_t *d = c->in[0]->dims;
    shape(c->out, c->in[0]->rank, d[0], d[1], d[2], d[3]);
}

static double at(const onnx_tensor *t, int64_t n, int64_t ch, int64_t y, int64_t x)
{
    return (double)t->values[((n * t->dims[1] + ch) * t->dims[2] + y) * t->dims[3] + x];
}

typedef struct window {
    int64_t kh, kw, stride_y, stride_x, top, left;
} window;

static window slide(call *c, int64_t channels)
{
    const onnx_tensor *x = c->in[0];
    const window w = {whole(c, "kernel_shape", 0, 1), whole(c, "kernel_shape", 1, 1),
                      whole(c, "strides", 0, 1),      whole(c, "strides", 1, 1),
                      whole(c, "pads", 0, 0),         whole(c, "pads", 1, 0)};
    const int64_t h = x->dims[2] + w.top + whole(c, "pads", 2, 0),
                  width = x->dims[3] + w.left + whole(c, "pads", 3, 0);
    shape(c->out, 4, x->dims[0], channels, (h - w.kh) / w.stride_y + 1,
          (width - w.kw) / w.stride_x + 1);
    return w;
}

static double conv_at(const call *c, const window *w, int64_t n, int64_t o, int64_t y, int64_t x)
{
    const onnx_tensor *in = c->in[0], *kernel = c->in[1];
    const int64_t group = whole(c, "group", 0, 1), ins = kernel->dims[1],
                  first = o / (kernel->dims[0] / group) * ins;
    double sum = c->in[2] ? (double)c->in[2]->values[o] : 0;
    for (int64_t i = 0; i < ins; i++)
        for (int64_t ky = 0; ky < w->kh; ky++)
            for (int64_t kx = 0; kx < w->kw; kx++) {
                const int64_t sy = y * w->stride_y + ky - w->top,
                              sx = x * w->stride_x + kx - w->left;
                if (sy >= 0 && sy < in->dims[2] && sx >= 0 && sx < in->dims[3])
                    sum += at(in, n, first + i, sy, sx) * at(kernel, o, i, ky, kx);
            }
    return sum;
}

static double pool_at(const call *c, const window *w, int64_t n, int64_t o, int64_t y, int64_t x)
{
    const onnx_tensor *in = c->in[0];
    const int mean = c->node->op[0] == 'A';
    double sum = 0, most = -INFINITY;
    int64_t inside = 0;
    for (int64_t ky = 0; ky < w->kh; ky++)
        for (int64_t kx = 0; kx < w->kw; kx++) {
            const int64_t sy = y * w->stride_y + ky - w->top, sx = x * w->stride_x + kx - w->left;
            if (sy < 0 || sy >= in->dims[2] || sx < 0 || sx >= in->dims[3]) continue;
            sum += at(in, n, o, sy, sx);
            most = fmax(most, at(in, n, o, sy, sx));
            inside++;
        }
    if (!mean) return most;
    return sum / (double)(whole(c, "count_include_pad", 0, 0) ? w->kh * w->kw : inside);
}

static void windows(call *c, int64_t channels,
                    double (*value)(const call *, const window *, int64_t, int64_t, int64_t,
                                    int64_t))
{
    const window w = slide(c, channels);
    const int64_t *d = c->out->dims;
    float *to = c->out->values;
    for (int64_t n = 0; n < d[0]; n++)
        for (int64_t o = 0; o < d[1]; o++)
            for (int64_t y = 0; y < d[2]; y++)
                for (int64_t x = 0; x < d[3]; x++) *to++ = (float)value(c, &w, n, o, y, x);
}

static void conv(call *c)
{
    windows(c, c->in[1]->dims[0], conv_at);
}

static void pool(call *c)
{
    windows(c, c->in[0]->dims[1], pool_at);
}

static void gemm(call *c)
{
    const int64_t n = c->in[0]->dims[0], k = c->in[0]->dims[1], m = c->in[1]->dims[0];
    CU_ASSERT_EQUAL(whole(c, "transB", 0, 0), 1);
    CU_ASSERT_EQUAL(c->in[1]->rank, 2);
    shape(c->out, 2, n, m, 1, 1);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
            double sum = c->in[2] ? (double)c->in[2]->values[j] : 0;
            for (int64_t l = 0; l < k; l++)
                sum += (double)c->in[0]->values[i * k + l] * (double)c->in[1]->values[j * k + l];
            c->out->values[i * m + j] = (float)sum;
        }
}

static void batchnorm(call *c)
{
    const onnx_tensor *x = c->in[0];
    const size_t channels = (size_t)x->dims[1], area = x->count / ((size_t)x->dims[0] * channels);
    same_shape(c);
    for (size_t i = 0; i < x->count; i++) {
        const size_t ch = i / area % channels;
        const double scale =
            (double)c->in[1]->values[ch] /
            sqrt((double)c->in[4]->values[ch] + (double)attribute(c, "epsilon")->real);
        c->out->values[i] = (float)(((double)x->values[i] - (double)c->in[3]->values[ch]) * scale +
                                    (double)c->in[2]->values[ch]);
    }
}

/* A second operand of the same shape, (C, 1, 1) or a scalar. */
static void binary(call *c)
{
    const onnx_tensor *a = c->in[0], *b = c->in[1];
    const size_t channels = a->rank > 1 ? (size_t)a->dims[1] : 1;
    const size_t area = a->count / ((size_t)a->dims[0] * channels);
    same_shape(c);
    for (size_t i = 0; i < a->count; i++) {
        const size_t j = b->count == a->count ? i : b->count == 1 ? 0 : i / area % channels;
        const double x = (double)a->values[i], y = (double)b->values[j];
        const char *op = c->node->op;
        c->out->values[i] = (float)(op[0] == 'A'   ? x + y
                                    : op[0] == 'S' ? x - y
                                    : op[0] == 'M' ? x * y
                                                   : x / y);
    }
}

static void each(call *c)
{
    const char *op = c->node->op;
    same_shape(c);
    for (size_t i = 0; i < c->out->count; i++) {
        const double x = (double)c->in[0]->values[i];
        if (op[0] == 'R') c->out->values[i] = (float)fmax(x, 0);
        if (op[0] == 'S') c->out->values[i] = (float)(1 / (1 + exp(-x)));
        if (op[0] == 'C')
            c->out->values[i] =
                (float)fmin(fmax(x, (double)c->in[1]->values[0]), (double)c->in[2]->values[0]);
    }
}

static void softmax(call *c)
{
    const int64_t n = c->in[0]->dims[0], k = c->in[0]->dims[1];
    same_shape(c);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < k; j++) sum += exp((double)c->in[0]->values[i * k + j]);
        for (int64_t j = 0; j < k; j++)
            c->out->values[i * k + j] = (float)(exp((double)c->in[0]->values[i * k + j]) / sum);
    }
}

static void global_mean(call *c)
{
    const int64_t *d = c->in[0]->dims;
    const int64_t area = d[2] * d[3];
    shape(c->out, 4, d[0], d[1], 1, 1);
    for (int64_t i = 0; i < d[0] * d[1]; i++) {
        double sum = 0;
        for (int64_t k = 0; k < area; k++) sum += (double)c->in[0]->values[i * area + k];
        c->out->values[i] = (float)(sum / (double)area);
    }
}

static void flatten(call *c)
{
    const onnx_tensor *x = c->in[0];
    CU_ASSERT_EQUAL(whole(c, "axis", 0, 1), 1);
    shape(c->out, 2, x->dims[0], (int64_t)x->count / x->dims[0], 1, 1);
    memcpy(c->out->values, x->values, x->count * sizeof *x->values);
}

static void concat(call *c)
{
    const onnx_tensor *a = c->in[0], *b = c->in[1];
    const size_t n = (size_t)a->dims[0], p = a->count / n, q = b->count / n;
    CU_ASSERT_EQUAL(whole(c, "axis", 0, 0), 1);
    shape(c->out, 4, a->dims[0], a->dims[1] + b->dims[1], a->dims[2], a->dims[3]);
    for (size_t i = 0; i < n; i++) {
        memcpy(c->out->values + i * (p + q), a->values + i * p, p * sizeof *a->values);
        memcpy(c->out->values + i * (p + q) + p, b->values + i * q, q * sizeof *b->values);
    }
}

static void pad(call *c)
{
    int64_t pads[8];
    const onnx_tensor *x = c->in[0];
    memcpy(pads, c->in[1]->raw, sizeof pads);
    shape(c->out, 4, x->dims[0], x->dims[1], x->dims[2] + pads[2] + pads[6],
          x->dims[3] + pads[3] + pads[7]);
    for (int64_t i = 0; i < x->dims[0] * x->dims[1]; i++)
        for (int64_t y = 0; y < x->dims[2]; y++)
            memcpy(c->out->values + (i * c->out->dims[2] + y + pads[2]) * c->out->dims[3] + pads[3],
                   x->values + (i * x->dims[2] + y) * x->dims[3],
                   (size_t)x->dims[3] * sizeof *x->values);
}

static const struct {
    const char *op;
    void (*run)(call *c);
} operators[] = {{"Conv", conv},
                 {"Gemm", gemm},
                 {"BatchNormalization", batchnorm},
                 {"Relu", each},
                 {"Add", binary},
                 {"MaxPool", pool},
                 {"AveragePool", pool},
                 {"GlobalAveragePool", global_mean},
                 {"Flatten", flatten},
                 {"Concat", concat},
                 {"Mul", binary},
                 {"Sub", binary},
                 {"Div", binary},
                 {"Clip", each},
                 {"Sigmoid", each},
                 {"Softmax", softmax},
                 {"Pad", pad}};

static void run_node(onnx_file *file, const onnx_node *node)
{
    call c = {.file = file, .node = node, .out = &file->tensor[file->tensors]};
    for (int i = 0; i < node->inputs; i++) {
        c.in[i] = onnx_rig_find(file, node->input[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(c.in[i]);
    }
    CU_ASSERT_PTR_NULL(onnx_rig_find(file, node->output)); /* every value is made once */
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].op, node->op) != 0) continue;
        strcpy(c.out->name, node->output);
        operators[i].run(&c);
        file->tensors++;
        return;
    }
    CU_FAIL_FATAL("an operator that the interpreter does not know");
}

void onnx_rig_run(onnx_file *file, int n, const float *x)
{
    for (int i = 0; i < file->initializers; i++) {
        onnx_tensor *t = &file->tensor[i];
        if (t->type != 1) continue;
        t->values = malloc(t->count * sizeof *t->values);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t->values);
        memcpy(t->values, t->raw, t->count * sizeof *t->values);
    }
    onnx_tensor *input = &file->tensor[file->tensors++];
    strcpy(input->name, file->input);
    shape(input, 4, n, file->input_dims[1], file->input_dims[2], file->input_dims[3]);
    memcpy(input->values, x, input->count * sizeof *x);
    for (int i = 0; i < file->nodes; i++) run_node(file, &file->node[i]);
}
