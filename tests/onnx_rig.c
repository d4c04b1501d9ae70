/* The reader: protocol buffers by field number (https://github.com/onnx/onnx, onnx.proto3). */
#include "onnx_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

typedef struct field {
    uint64_t number, wire, value;
    onnx_bytes bytes;
} field;

static uint64_t take_varint(onnx_bytes *in)
{
    uint64_t value = 0;
    for (int shift = 0; in->size && shift < 64; shift += 7) {
        const unsigned char byte = *in->at++;
        in->size--;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    CU_FAIL_FATAL("a varint ends in the middle");
    return 0;
}

static int take_field(onnx_bytes *in, field *out)
{
    if (in->size == 0) return 0;
    const uint64_t key = take_varint(in);
    *out = (field){.number = key >> 3, .wire = key & 7};
    if (out->wire == 0) {
        out->value = take_varint(in);
        return 1;
    }
    CU_ASSERT_TRUE_FATAL(out->wire == 2 || out->wire == 5);
    const uint64_t size = out->wire == 5 ? 4 : take_varint(in);
    CU_ASSERT_TRUE_FATAL(size <= in->size);
    out->bytes = (onnx_bytes){in->at, (size_t)size};
    in->at += size;
    in->size -= (size_t)size;
    return 1;
}

static void copy_text(onnx_bytes from, char *to, size_t room)
{
    CU_ASSERT_TRUE_FATAL(from.size < room);
    memcpy(to, from.at, from.size);
    to[from.size] = '\0';
}

static int read_ints(const field *f, int64_t *to, int count, int room)
{
    onnx_bytes rest = f->bytes;
    if (f->wire == 0) {
        CU_ASSERT_TRUE_FATAL(count < room);
        to[count++] = (int64_t)f->value;
    }
    while (f->wire == 2 && rest.size) {
        CU_ASSERT_TRUE_FATAL(count < room);
        to[count++] = (int64_t)take_varint(&rest);
    }
    return count;
}

static void read_attribute(onnx_bytes in, onnx_attribute *out)
{
    field f;
    while (take_field(&in, &f)) {
        if (f.number == 1) copy_text(f.bytes, out->name, sizeof out->name);
        if (f.number == 2) memcpy(&out->real, f.bytes.at, 4);
        if (f.number == 3 || f.number == 8) out->count = read_ints(&f, out->ints, out->count, 8);
    }
}

static void read_node(onnx_bytes in, onnx_node *out)
{
    field f;
    while (take_field(&in, &f)) {
        if (f.number == 1) {
            CU_ASSERT_TRUE_FATAL(out->inputs < 6);
            copy_text(f.bytes, out->input[out->inputs++], ONNX_RIG_NAME);
        }
        if (f.number == 2) copy_text(f.bytes, out->output, ONNX_RIG_NAME);
        if (f.number == 4) copy_text(f.bytes, out->op, sizeof out->op);
        if (f.number == 5) {
            CU_ASSERT_TRUE_FATAL(out->attributes < 6);
            read_attribute(f.bytes, &out->attribute[out->attributes++]);
        }
    }
}

static void read_tensor(onnx_bytes in, onnx_tensor *out)
{
    field f;
    size_t raw = 0;
    while (take_field(&in, &f)) {
        if (f.number == 1) out->rank = read_ints(&f, out->dims, out->rank, 4);
        if (f.number == 2) out->type = (int)f.value;
        if (f.number == 8) copy_text(f.bytes, out->name, ONNX_RIG_NAME);
        if (f.number == 9) {
            out->raw = f.bytes.at;
            raw = f.bytes.size;
        }
    }
    out->count = 1;
    for (int i = 0; i < out->rank; i++) out->count *= (size_t)out->dims[i];
    CU_ASSERT_EQUAL(raw, out->count * (out->type == 7 ? 8 : 4));
}

static onnx_bytes child(onnx_bytes in, uint64_t number)
{
    field f;
    while (take_field(&in, &f))
        if (f.number == number) return f.bytes;
    return (onnx_bytes){NULL, 0};
}

/* ValueInfoProto: name; type.tensor_type.shape.dim. */
static void read_value(onnx_bytes in, char *name, int64_t dims[4])
{
    onnx_bytes shape = child(child(child(in, 2), 1), 2);
    field f;
    copy_text(child(in, 1), name, ONNX_RIG_NAME);
    for (int i = 0; dims && i < 4 && take_field(&shape, &f); i++) {
        onnx_bytes dim = f.bytes;
        dims[i] = take_field(&dim, &f) && f.number == 1 ? (int64_t)f.value : 0;
    }
}

static void read_graph(onnx_bytes in, onnx_file *out)
{
    field f;
    while (take_field(&in, &f)) {
        if (f.number == 1) read_node(f.bytes, &out->node[out->nodes++]);
        if (f.number == 5) read_tensor(f.bytes, &out->tensor[out->tensors++]);
        if (f.number == 11) read_value(f.bytes, out->input, out->input_dims);
        if (f.number == 12) read_value(f.bytes, out->output[out->outputs++], NULL);
        CU_ASSERT_TRUE_FATAL(out->nodes < ONNX_RIG_NODES && out->tensors < ONNX_RIG_NODES);
        CU_ASSERT_TRUE_FATAL(out->outputs < 4);
    }
    out->initializers = out->tensors;
}

static void read_model(onnx_bytes in, onnx_file *out)
{
    field f;
    while (take_field(&in, &f)) {
        if (f.number == 1) out->ir = (int64_t)f.value;
        if (f.number == 2) copy_text(f.bytes, out->producer, sizeof out->producer);
        if (f.number == 7) read_graph(f.bytes, out);
        if (f.number == 8)
            for (field inner; take_field(&f.bytes, &inner);)
                if (inner.number == 2) out->opset = (int64_t)inner.value;
        if (f.number == 14) {
            const onnx_bytes value = child(f.bytes, 2);
            CU_ASSERT_EQUAL(child(f.bytes, 1).size, strlen("s2clr.card"));
            out->card = strndup((const char *)value.at, value.size);
        }
    }
}

void onnx_rig_open(const char *path, onnx_file *out)
{
    memset(out, 0, sizeof *out);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    out->size = (size_t)ftell(file);
    rewind(file);
    out->bytes = calloc(out->size + 1, 1);
    out->node = calloc(ONNX_RIG_NODES, sizeof *out->node);
    out->tensor = calloc(2 * ONNX_RIG_NODES, sizeof *out->tensor);
    CU_ASSERT_TRUE_FATAL(out->bytes && out->node && out->tensor);
    CU_ASSERT_EQUAL(fread(out->bytes, 1, out->size, file), out->size);
    fclose(file);
    read_model((onnx_bytes){out->bytes, out->size}, out);
}

void onnx_rig_close(onnx_file *file)
{
    for (int i = 0; i < file->tensors; i++) free(file->tensor[i].values);
    free(file->tensor);
    free(file->node);
    free(file->card);
    free(file->bytes);
}

const onnx_tensor *onnx_rig_find(const onnx_file *file, const char *name)
{
    for (int i = 0; i < file->tensors; i++)
        if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
    return NULL;
}

int onnx_rig_count(const onnx_file *file, const char *op)
{
    int count = 0;
    for (int i = 0; i < file->nodes; i++) count += strcmp(file->node[i].op, op) == 0;
    return count;
}
