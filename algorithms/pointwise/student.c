#include "pointwise/student.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "predict/model_share.h"
#include "predict/zoo.h"

#define NETS_KEPT 4

typedef struct s2clr_student_net {
    struct s2clr_student_net *next;
    const s2clr_model *model; /* held */
    char device_name[64];     /* the caller's word */
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_plan *plan;
    s2clr_student *idle; /* list */
    int users;
} student_net;

/* Guards the list, its entries and their idle students. The one used last comes first. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static student_net *nets;

static void free_student(s2clr_student *student)
{
    s2clr_session_free(student->session);
    s2clr_free(student->x);
    s2clr_free(student->y);
    s2clr_free(student);
}

static void free_net(student_net *net)
{
    while (net->idle) {
        s2clr_student *next = net->idle->next;
        free_student(net->idle);
        net->idle = next;
    }
    s2clr_plan_free(net->plan);
    if (net->device) net->backend->device_close(net->device);
    s2clr_model_release(net->model);
    s2clr_free(net);
}

/* Lock held. Frees the unused ones behind the first `keep`. */
static void drop_unused(int keep)
{
    int place = 0;
    for (student_net **link = &nets; *link; place++) {
        student_net *net = *link;
        if (place < keep || net->users > 0) {
            link = &net->next;
        } else {
            *link = net->next;
            free_net(net);
        }
    }
}

/* ---- making ---- */

s2clr_status s2clr_student_check(const s2clr_model *model)
{
    const s2clr_net *net = s2clr_model_net(model);
    const s2clr_arch *arch = s2clr_net_arch(net);
    S2CLR_TRY(s2clr_model_check_binary(model));
    if (s2clr_net_step(net) == 1 && s2clr_net_field(net) == 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: a network of architecture %s sees more than one pixel; take a "
                           "model of architecture pixel, or read the raster through the driver "
                           "S2CLR",
                           s2clr_model_path(model), arch->name);
}

static s2clr_status fill_net(student_net *net)
{
    S2CLR_TRY(s2clr_device_select(net->device_name, S2CLR_F32, &net->backend, &net->device));
    return s2clr_plan_new(s2clr_model_net(net->model), s2clr_model_params(net->model), net->backend,
                          net->device, S2CLR_OUTPUT_LOCAL, 1, 1, S2CLR_STUDENT_PIXELS, &net->plan);
}

/* Takes over the hold of the model, also when it fails. */
static s2clr_status new_net(const s2clr_model *model, const char *device, student_net **out)
{
    student_net *net;
    s2clr_status status = s2clr_alloc(1, sizeof *net, "pixel network", (void **)&net);
    if (status != S2CLR_OK) {
        s2clr_model_release(model);
        return status;
    }
    net->model = model;
    snprintf(net->device_name, sizeof net->device_name, "%s", device);
    status = fill_net(net);
    if (status != S2CLR_OK) {
        free_net(net);
        return status;
    }
    *out = net;
    return S2CLR_OK;
}

static s2clr_status new_student(student_net *net, s2clr_student **out)
{
    const size_t bands = (size_t)s2clr_plan_input(net->plan).c;
    s2clr_student *s;
    S2CLR_TRY(s2clr_alloc(1, sizeof *s, "pixel network", (void **)&s));
    s->model = net->model;
    s->net = net;
    s2clr_status status = s2clr_session_new(net->plan, &s->session);
    if (status == S2CLR_OK)
        status = s2clr_alloc(bands * S2CLR_STUDENT_PIXELS, sizeof *s->x, "pixels", (void **)&s->x);
    if (status == S2CLR_OK)
        status = s2clr_alloc(S2CLR_STUDENT_PIXELS, sizeof *s->y, "logits", (void **)&s->y);
    if (status != S2CLR_OK) {
        free_student(s);
        return status;
    }
    *out = s;
    return S2CLR_OK;
}

/* ---- taking ---- */

/* Lock held. Finds or makes the network and moves it to the front; takes over the model's hold. */
static s2clr_status find_net(const s2clr_model *model, const char *device, student_net **out)
{
    student_net **link = &nets, *net;
    while ((net = *link) && (net->model != model || strcmp(net->device_name, device) != 0))
        link = &net->next;
    if (net) {
        *link = net->next;
        s2clr_model_release(model);
    } else {
        S2CLR_TRY(new_net(model, device, &net));
    }
    net->next = nets;
    nets = net;
    *out = net;
    return S2CLR_OK;
}

static s2clr_status take(const s2clr_model *model, const char *device, s2clr_student **out)
{
    student_net *net;
    S2CLR_TRY(find_net(model, device, &net));
    s2clr_student *student = net->idle;
    if (student)
        net->idle = student->next;
    else
        S2CLR_TRY(new_student(net, &student));
    net->users++;
    *out = student;
    return S2CLR_OK;
}

s2clr_status s2clr_student_take(const char *name, const char *device, s2clr_student **out)
{
    char path[S2CLR_ZOO_PATH];
    const s2clr_model *model;
    if (strlen(device) >= sizeof nets->device_name)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "device \"%.100s\": there is none of that name",
                               device);
    S2CLR_TRY(s2clr_zoo_resolve(name, path));
    S2CLR_TRY(s2clr_model_acquire(path, &model));
    s2clr_status status = s2clr_student_check(model);
    if (status != S2CLR_OK) {
        s2clr_model_release(model);
        return status;
    }
    pthread_mutex_lock(&lock);
    status = take(model, device, out);
    pthread_mutex_unlock(&lock);
    return status;
}

void s2clr_student_return(s2clr_student *student)
{
    if (!student) return;
    pthread_mutex_lock(&lock);
    student->next = student->net->idle;
    student->net->idle = student;
    student->net->users--;
    drop_unused(NETS_KEPT);
    pthread_mutex_unlock(&lock);
}

void s2clr_student_drop_idle(void)
{
    pthread_mutex_lock(&lock);
    drop_unused(0);
    pthread_mutex_unlock(&lock);
}

size_t s2clr_student_count(void)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (const student_net *net = nets; net; net = net->next) count++;
    pthread_mutex_unlock(&lock);
    return count;
}
