/*
 * A small reader and interpreter of ONNX, written after the published protocol and operators and
 * not after our writer: what it computes from a file is what any runtime should.
 */
#ifndef S2CLR_TESTS_ONNX_RIG_H
#define S2CLR_TESTS_ONNX_RIG_H

#include <stddef.h>
#include <stdint.h>

#define ONNX_RIG_NAME 128
#define ONNX_RIG_NODES 2048

typedef struct onnx_bytes {
    const unsigned char *at;
    size_t size;
} onnx_bytes;

typedef struct onnx_attribute {
    char name[32];
    int64_t ints[8];
    int count;
    float real;
} onnx_attribute;

typedef struct onnx_node {
    char op[32], input[6][ONNX_RIG_NAME], output[ONNX_RIG_NAME];
    int inputs, attributes;
    onnx_attribute attribute[6];
} onnx_node;

/* An initializer (values in the file) or a value under way (owned). */
typedef struct onnx_tensor {
    char name[ONNX_RIG_NAME];
    int rank;
    int64_t dims[4];
    size_t count;
    int type; /* 1 float, 7 int64 */
    const unsigned char *raw;
    float *values;
} onnx_tensor;

typedef struct onnx_file {
    unsigned char *bytes;
    size_t size;
    int64_t ir, opset;
    char producer[32], *card; /* metadata s2clr.card */
    onnx_node *node;          // (nodes)
    onnx_tensor *tensor;      // (tensors)
    int nodes, tensors, initializers;
    char input[ONNX_RIG_NAME], output[4][ONNX_RIG_NAME];
    int outputs;
    int64_t input_dims[4]; /* 0: free */
} onnx_file;

/* Fails the case when the bytes are no such file. Close whatever came. */
void onnx_rig_open(const char *path, onnx_file *out);
void onnx_rig_close(onnx_file *file);

const onnx_tensor *onnx_rig_find(const onnx_file *file, const char *name);
int onnx_rig_count(const onnx_file *file, const char *op);

/* Runs the graph on x (n, input_dims[1..]); the result is onnx_rig_find(file, name of an output).
 */
void onnx_rig_run(onnx_file *file, int n, const float *x);

#endif
