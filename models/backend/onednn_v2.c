/* All that is particular to oneDNN 2.x: descriptors are structs, operations have descriptors. */
#include "backend/onednnp.h"

#include <string.h>

#if DNNL_VERSION_MAJOR == 2

static dnnl_format_tag_t tag_of(const s2clr_dnnl_conv *conv, bool plain)
{
    return plain ? dnnl_nchw : conv->block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

/* Weights have five axes when there are groups, else the last four of these. */
enum { AXES = 5 };

static int weight_axes(const s2clr_dnnl_conv *conv, dnnl_dims_t dims)
{
    const int groups = conv->groups;
    const dnnl_dim_t all[AXES] = {groups, conv->oc / groups, conv->ic / groups, conv->window.h,
                                  conv->window.w};
    const int axes = groups > 1 ? AXES : AXES - 1;
    memcpy(dims, all + AXES - axes, (size_t)axes * sizeof *dims);
    return axes;
}

typedef struct conv_tensors {
    dnnl_memory_desc_t x, weights, bias, y;
} conv_tensors;

static dnnl_data_type_t type_of(const s2clr_dnnl_conv *conv)
{
    return conv->bf16 ? dnnl_bf16 : dnnl_f32;
}

/* For `direction`, which is not conv's when a hint is made. */
static dnnl_status_t describe(const s2clr_dnnl_conv *conv, s2clr_dnnl_direction direction,
                              conv_tensors *out)
{
    const dnnl_data_type_t type = type_of(conv);
    const dnnl_data_type_t weight_type = direction == S2CLR_DNNL_BACKWARD_WEIGHTS ? dnnl_f32 : type;
    const dnnl_dims_t x = {conv->n, conv->ic, conv->ih, conv->iw};
    const dnnl_dims_t y = {conv->n, conv->oc, conv->oh, conv->ow};
    dnnl_dims_t weights;
    const int axes = weight_axes(conv, weights);
    const dnnl_dims_t bias = {conv->oc};
    const dnnl_format_tag_t x_tag = tag_of(conv, conv->plain_x);
    const dnnl_format_tag_t y_tag = tag_of(conv, conv->plain_y);
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&out->x, 4, x, type, x_tag);
    if (status == dnnl_success) status = dnnl_memory_desc_init_by_tag(&out->y, 4, y, type, y_tag);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&out->weights, axes, weights, weight_type,
                                              dnnl_format_tag_any);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&out->bias, 1, bias, dnnl_f32, dnnl_a);
    return status;
}

static dnnl_status_t init_operation(const s2clr_dnnl_conv *conv, s2clr_dnnl_direction direction,
                                    const conv_tensors *t, dnnl_convolution_desc_t *out)
{
    const dnnl_alg_kind_t algorithm = dnnl_convolution_direct;
    const dnnl_dims_t stride = {conv->window.stride, conv->window.stride};
    const dnnl_dims_t before = {conv->window.top, conv->window.left};
    const dnnl_dims_t behind = {conv->window.bottom, conv->window.right};
    if (direction == S2CLR_DNNL_BACKWARD_DATA)
        return dnnl_convolution_backward_data_desc_init(out, algorithm, &t->x, &t->weights, &t->y,
                                                        stride, before, behind);
    if (direction == S2CLR_DNNL_BACKWARD_WEIGHTS)
        return dnnl_convolution_backward_weights_desc_init(out, algorithm, &t->x, &t->weights, NULL,
                                                           &t->y, stride, before, behind);
    return dnnl_convolution_forward_desc_init(
        out, conv->training ? dnnl_forward_training : dnnl_forward_inference, algorithm, &t->x,
        &t->weights, conv->bias ? &t->bias : NULL, &t->y, stride, before, behind);
}

static dnnl_status_t new_attributes(bool sum, bool relu, dnnl_primitive_attr_t *out)
{
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t ops;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && (sum || relu)) {
        status = dnnl_post_ops_create(&ops);
        if (status == dnnl_success) {
            if (sum) status = dnnl_post_ops_append_sum(ops, 1.0f);
            if (relu && status == dnnl_success)
                status = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
            if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, ops);
            dnnl_post_ops_destroy(ops);
        }
    }
    if (status == dnnl_success)
        *out = attributes;
    else
        dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t create_desc(dnnl_engine_t engine, const s2clr_dnnl_conv *conv,
                                 s2clr_dnnl_direction direction, const conv_tensors *tensors,
                                 const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    dnnl_convolution_desc_t operation;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = init_operation(conv, direction, tensors, &operation);
    if (status != dnnl_success) return status;
    status = new_attributes(conv->sum, conv->relu, &attributes);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_desc_create(out, &operation, attributes, engine, hint);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

dnnl_status_t s2clr_dnnl_conv_desc(dnnl_engine_t engine, const s2clr_dnnl_conv *conv,
                                   dnnl_primitive_desc_t *out)
{
    conv_tensors tensors, hinted;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t status = describe(conv, conv->direction, &tensors);
    if (status != dnnl_success) return status;
    if (conv->direction == S2CLR_DNNL_FORWARD)
        return create_desc(engine, conv, S2CLR_DNNL_FORWARD, &tensors, NULL, out);
    /* A hint only has to exist and match in shape. */
    s2clr_dnnl_conv forward = *conv;
    forward.training = true;
    status = describe(&forward, S2CLR_DNNL_FORWARD, &hinted);
    if (status == dnnl_success)
        status = create_desc(engine, &forward, S2CLR_DNNL_FORWARD, &hinted, NULL, &hint);
    if (status != dnnl_success) return status;
    status = create_desc(engine, conv, conv->direction, &tensors, hint, out);
    dnnl_primitive_desc_destroy(hint);
    return status;
}

dnnl_status_t s2clr_dnnl_reorder_desc(dnnl_engine_t engine, const dnnl_memory_desc_t *from,
                                      const dnnl_memory_desc_t *to, dnnl_primitive_desc_t *out)
{
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = new_attributes(false, false, &attributes);
    if (status != dnnl_success) return status;
    status = dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

dnnl_status_t s2clr_dnnl_md_weights(const s2clr_dnnl_conv *conv, dnnl_memory_desc_t *out)
{
    dnnl_dims_t dims;
    const int axes = weight_axes(conv, dims);
    return dnnl_memory_desc_init_by_tag(out, axes, dims, dnnl_f32,
                                        axes == AXES ? dnnl_goihw : dnnl_oihw);
}

dnnl_status_t s2clr_dnnl_md_query(const_dnnl_primitive_desc_t desc, int arg,
                                  dnnl_memory_desc_t *out)
{
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(desc, dnnl_query_exec_arg_md, arg);
    if (md == NULL) return dnnl_invalid_arguments;
    *out = *md;
    return dnnl_success;
}

size_t s2clr_dnnl_md_bytes(const dnnl_memory_desc_t *md)
{
    return dnnl_memory_desc_get_size(md);
}

void s2clr_dnnl_md_free(dnnl_memory_desc_t *md)
{
    (void)md; /* a plain struct in 2.x */
}

dnnl_status_t s2clr_dnnl_memory(const dnnl_memory_desc_t *md, dnnl_engine_t engine, void *handle,
                                dnnl_memory_t *out)
{
    return dnnl_memory_create(out, md, engine, handle);
}

#endif
