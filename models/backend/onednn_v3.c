/* All that is particular to oneDNN 3.x: descriptors are handles, operations have none. */
#include "backend/onednnp.h"

#include <string.h>

#if DNNL_VERSION_MAJOR >= 3

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

static void free_tensors(conv_tensors *tensors)
{
    s2clr_dnnl_md_free(&tensors->x);
    s2clr_dnnl_md_free(&tensors->weights);
    s2clr_dnnl_md_free(&tensors->bias);
    s2clr_dnnl_md_free(&tensors->y);
}

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
    dnnl_status_t status = dnnl_memory_desc_create_with_tag(&out->x, 4, x, type, x_tag);
    if (status == dnnl_success)
        status = dnnl_memory_desc_create_with_tag(&out->y, 4, y, type, y_tag);
    if (status == dnnl_success)
        status = dnnl_memory_desc_create_with_tag(&out->weights, axes, weights, weight_type,
                                                  dnnl_format_tag_any);
    if (status == dnnl_success)
        status = dnnl_memory_desc_create_with_tag(&out->bias, 1, bias, dnnl_f32, dnnl_a);
    return status;
}

/* type: of what is summed. */
static dnnl_status_t new_attributes(bool sum, bool relu, dnnl_data_type_t type,
                                    dnnl_primitive_attr_t *out)
{
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t ops;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && (sum || relu)) {
        status = dnnl_post_ops_create(&ops);
        if (status == dnnl_success) {
            if (sum) status = dnnl_post_ops_append_sum(ops, 1.0f, 0, type);
            if (relu && status == dnnl_success)
                status = dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
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
                                 s2clr_dnnl_direction direction, const conv_tensors *t,
                                 const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    const dnnl_alg_kind_t algorithm = dnnl_convolution_direct;
    const dnnl_dims_t stride = {conv->window.stride, conv->window.stride};
    const dnnl_dims_t before = {conv->window.top, conv->window.left};
    const dnnl_dims_t behind = {conv->window.bottom, conv->window.right};
    const dnnl_dims_t dilates = {0, 0};
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = new_attributes(conv->sum, conv->relu, type_of(conv), &attributes);
    if (status != dnnl_success) return status;
    if (direction == S2CLR_DNNL_BACKWARD_DATA)
        status = dnnl_convolution_backward_data_primitive_desc_create(
            out, engine, algorithm, t->x, t->weights, t->y, stride, dilates, before, behind, hint,
            attributes);
    else if (direction == S2CLR_DNNL_BACKWARD_WEIGHTS)
        status = dnnl_convolution_backward_weights_primitive_desc_create(
            out, engine, algorithm, t->x, t->weights, NULL, t->y, stride, dilates, before, behind,
            hint, attributes);
    else
        status = dnnl_convolution_forward_primitive_desc_create(
            out, engine, conv->training ? dnnl_forward_training : dnnl_forward_inference, algorithm,
            t->x, t->weights, conv->bias ? t->bias : NULL, t->y, stride, dilates, before, behind,
            attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t create_with_hint(dnnl_engine_t engine, const s2clr_dnnl_conv *conv,
                                      const conv_tensors *tensors, dnnl_primitive_desc_t *out)
{
    conv_tensors hinted = {NULL, NULL, NULL, NULL};
    dnnl_primitive_desc_t hint = NULL;
    /* A hint only has to exist and match in shape. */
    s2clr_dnnl_conv forward = *conv;
    forward.training = true;
    dnnl_status_t status = describe(&forward, S2CLR_DNNL_FORWARD, &hinted);
    if (status == dnnl_success)
        status = create_desc(engine, &forward, S2CLR_DNNL_FORWARD, &hinted, NULL, &hint);
    free_tensors(&hinted);
    if (status != dnnl_success) return status;
    status = create_desc(engine, conv, conv->direction, tensors, hint, out);
    dnnl_primitive_desc_destroy(hint);
    return status;
}

dnnl_status_t s2clr_dnnl_conv_desc(dnnl_engine_t engine, const s2clr_dnnl_conv *conv,
                                   dnnl_primitive_desc_t *out)
{
    conv_tensors tensors = {NULL, NULL, NULL, NULL};
    dnnl_status_t status = describe(conv, conv->direction, &tensors);
    if (status == dnnl_success)
        status = conv->direction == S2CLR_DNNL_FORWARD
                     ? create_desc(engine, conv, S2CLR_DNNL_FORWARD, &tensors, NULL, out)
                     : create_with_hint(engine, conv, &tensors, out);
    free_tensors(&tensors);
    return status;
}

dnnl_status_t s2clr_dnnl_reorder_desc(dnnl_engine_t engine, const dnnl_memory_desc_t *from,
                                      const dnnl_memory_desc_t *to, dnnl_primitive_desc_t *out)
{
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = new_attributes(false, false, dnnl_f32, &attributes);
    if (status != dnnl_success) return status;
    status = dnnl_reorder_primitive_desc_create(out, *from, engine, *to, engine, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

dnnl_status_t s2clr_dnnl_md_weights(const s2clr_dnnl_conv *conv, dnnl_memory_desc_t *out)
{
    dnnl_dims_t dims;
    const int axes = weight_axes(conv, dims);
    return dnnl_memory_desc_create_with_tag(out, axes, dims, dnnl_f32,
                                            axes == AXES ? dnnl_goihw : dnnl_oihw);
}

dnnl_status_t s2clr_dnnl_md_query(const_dnnl_primitive_desc_t desc, int arg,
                                  dnnl_memory_desc_t *out)
{
    const_dnnl_memory_desc_t md = dnnl_primitive_desc_query_md(desc, dnnl_query_exec_arg_md, arg);
    if (md == NULL) return dnnl_invalid_arguments;
    return dnnl_memory_desc_clone(out, md);
}

size_t s2clr_dnnl_md_bytes(const dnnl_memory_desc_t *md)
{
    return dnnl_memory_desc_get_size(*md);
}

void s2clr_dnnl_md_free(dnnl_memory_desc_t *md)
{
    if (*md != NULL) dnnl_memory_desc_destroy(*md);
    *md = NULL;
}

dnnl_status_t s2clr_dnnl_memory(const dnnl_memory_desc_t *md, dnnl_engine_t engine, void *handle,
                                dnnl_memory_t *out)
{
    return dnnl_memory_create(out, *md, engine, handle);
}

#endif
