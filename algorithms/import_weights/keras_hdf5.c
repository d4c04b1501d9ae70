/*
 * Keras' files through libhdf5. The library is not made for hostile files, so it is asked for
 * little: links out of the file (soft, external, virtual data, external storage) are refused, depth
 * and number of objects are bounded, so that circles end, and sizes are checked before they are
 * believed.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import_weights/keras_weights.h"
#include "import_weights/pkeras.h"

bool s2clr_keras_identify(const char *path)
{
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char bytes[sizeof signature];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    const bool whole = fread(bytes, 1, sizeof bytes, file) == sizeof bytes;
    fclose(file);
    return whole && memcmp(bytes, signature, sizeof bytes) == 0;
}

#if S2CLR_HAVE_HDF5
#include <hdf5.h>

enum { DEPTH_MAX = 12, OBJECTS_MAX = 65536 };

typedef struct walk {
    s2clr_keras_file *file;
    int objects, depth;
    char path[512]; /* of the group under way, without a slash at its end */
} walk;

static s2clr_status walk_group(walk *w, hid_t group);

static s2clr_status refuse(const s2clr_keras_file *file, const char *item, const char *what)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: '%.200s' %s", file->path, item, what);
}

/* Is it an object of this file, and no link to another place? */
static bool is_inside(hid_t group, const char *name)
{
    H5L_info_t info;
    return H5Lexists(group, name, H5P_DEFAULT) > 0 &&
           H5Lget_info(group, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

/* ---- arrays ---- */

static s2clr_status add_array(s2clr_keras_file *file, const s2clr_keras_array *array)
{
    if (file->arrays == file->room) {
        const size_t room = file->room ? 2 * file->room : 512;
        s2clr_keras_array *list;
        if (room > S2CLR_KERAS_ARRAYS_MAX)
            return refuse(file, array->path,
                          "is one array too many: no network known here has as "
                          "many");
        S2CLR_TRY(s2clr_alloc(room, sizeof *list, "arrays", (void **)&list));
        if (file->arrays) memcpy(list, file->array, file->arrays * sizeof *list);
        s2clr_free(file->array);
        file->array = list;
        file->room = room;
    }
    file->array[file->arrays++] = *array;
    return S2CLR_OK;
}

/* Is it plain floats that lie in this very file? */
static bool is_plain(hid_t dataset)
{
    const hid_t type = H5Dget_type(dataset), plist = H5Dget_create_plist(dataset);
    const bool plain = type >= 0 && plist >= 0 && H5Tget_class(type) == H5T_FLOAT &&
                       H5Pget_layout(plist) != H5D_VIRTUAL && H5Pget_external_count(plist) == 0;
    if (type >= 0) H5Tclose(type);
    if (plist >= 0) H5Pclose(plist);
    return plain;
}

static s2clr_status read_shape(const s2clr_keras_file *file, hid_t dataset,
                               s2clr_keras_array *array)
{
    hsize_t dims[H5S_MAX_RANK] = {0};
    const hid_t space = H5Dget_space(dataset);
    array->rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    const bool known = array->rank >= 0 && H5Sget_simple_extent_dims(space, dims, NULL) >= 0;
    if (space >= 0) H5Sclose(space);
    if (!known || array->rank > 4)
        return refuse(file, array->path, "is no array of at most 4 dimensions");
    array->count = 1;
    for (int i = 0; i < array->rank; i++) {
        if (dims[i] < 1 || dims[i] > INT_MAX ||
            s2clr_size_mul(array->count, (size_t)dims[i], &array->count) != S2CLR_OK)
            return refuse(file, array->path, "has a dimension that no weights have");
        array->dims[i] = (int)dims[i];
    }
    return S2CLR_OK;
}

/* The layer is the last group: Keras 2 writes "conv1/conv1/kernel:0", or "net/conv1/kernel:0". */
static void name_layer(const char *group, char layer[S2CLR_KERAS_NAME])
{
    const char *slash = strrchr(group, '/');
    snprintf(layer, S2CLR_KERAS_NAME, "%.95s", slash ? slash + 1 : group);
}

static s2clr_status visit_dataset(walk *w, hid_t dataset, const char *name)
{
    s2clr_keras_array array = {.rank = 0};
    if (!s2clr_keras_role_find(name, &array.role) || !is_plain(dataset)) return S2CLR_OK;
    name_layer(w->path, array.layer);
    snprintf(array.path, sizeof array.path, "%.380s/%.120s", w->path, name);
    S2CLR_TRY(read_shape(w->file, dataset, &array));
    return add_array(w->file, &array);
}

/* ---- Keras 3: a group "vars" with arrays "0", "1", ... and the layer's name as attribute ---- */

static bool read_name(hid_t group, char out[S2CLR_KERAS_NAME])
{
    char *text = NULL, fixed[S2CLR_KERAS_NAME] = "";
    const hid_t attribute = H5Aopen(group, "name", H5P_DEFAULT);
    const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    const hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    bool read = type >= 0 && H5Tget_class(type) == H5T_STRING && space >= 0 &&
                H5Sget_simple_extent_npoints(space) == 1;
    if (read && H5Tis_variable_str(type) > 0) {
        read = H5Aread(attribute, type, &text) >= 0 && text;
        if (read) snprintf(out, S2CLR_KERAS_NAME, "%s", text);
        if (text) H5free_memory(text);
    } else if (read) {
        read = H5Tget_size(type) < sizeof fixed && H5Aread(attribute, type, fixed) >= 0;
        if (read) snprintf(out, S2CLR_KERAS_NAME, "%s", fixed);
    }
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    if (attribute >= 0) H5Aclose(attribute);
    return read;
}

static s2clr_status visit_numbered(walk *w, hid_t group, const char *layer)
{
    const size_t first = w->file->arrays;
    for (int i = 0; i < 5; i++) {
        char number[4];
        s2clr_keras_array array = {.rank = 0};
        snprintf(number, sizeof number, "%d", i);
        if (!is_inside(group, number)) break;
        const hid_t dataset = H5Dopen2(group, number, H5P_DEFAULT);
        if (dataset < 0) return refuse(w->file, w->path, "has an entry that is no array");
        snprintf(array.layer, sizeof array.layer, "%s", layer);
        snprintf(array.path, sizeof array.path, "%.500s/%s", w->path, number);
        s2clr_status status = is_plain(dataset) ? read_shape(w->file, dataset, &array)
                                                : refuse(w->file, array.path, "is no plain array");
        H5Dclose(dataset);
        if (status == S2CLR_OK) status = add_array(w->file, &array);
        S2CLR_TRY(status);
    }
    return s2clr_keras_name_numbered(w->file, first);
}

/* ---- groups ---- */

/* Training states hold arrays under the names of weights. */
static bool is_state(const char *name)
{
    return strncmp(name, "optimizer", strlen("optimizer")) == 0;
}

static s2clr_status visit_group(walk *w, hid_t group, const char *name)
{
    char layer[S2CLR_KERAS_NAME];
    const size_t length = strlen(w->path);
    if (is_state(name)) return S2CLR_OK;
    if (w->depth == DEPTH_MAX || length + strlen(name) + 2 > 380)
        return refuse(w->file, w->path, "lies too deep: no file of Keras has as many groups");
    snprintf(w->path + length, sizeof w->path - length, "%s%s", length ? "/" : "", name);
    w->depth++;
    const bool numbered = strcmp(name, "vars") == 0 && read_name(group, layer);
    const s2clr_status status = numbered ? visit_numbered(w, group, layer) : walk_group(w, group);
    w->depth--;
    w->path[length] = '\0';
    return status;
}

static s2clr_status visit(walk *w, hid_t group, const char *name)
{
    if (!is_inside(group, name)) return S2CLR_OK;
    if (w->objects++ == OBJECTS_MAX)
        return refuse(w->file, w->path, "is one object too many: no file of Keras has as many");
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) return refuse(w->file, name, "cannot be opened: the file is damaged");
    const H5I_type_t type = H5Iget_type(object);
    s2clr_status status = S2CLR_OK;
    if (type == H5I_GROUP) status = visit_group(w, object, name);
    if (type == H5I_DATASET) status = visit_dataset(w, object, name);
    H5Oclose(object);
    return status;
}

static s2clr_status walk_group(walk *w, hid_t group)
{
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0)
        return refuse(w->file, w->path, "cannot be listed: the file is damaged");
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[200];
        const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                                  sizeof name, H5P_DEFAULT);
        if (length < 0 || length >= (ssize_t)sizeof name)
            return refuse(w->file, w->path, "has an entry whose name cannot be read");
        S2CLR_TRY(visit(w, group, name));
    }
    return S2CLR_OK;
}

/* ---- life ---- */

static s2clr_status open_file(const char *path, s2clr_keras_file *file)
{
    walk w = {.file = file};
    S2CLR_TRY(s2clr_strdup(path, &file->path));
    file->handle = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file->handle < 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: not a readable HDF5 file: it may be cut off; get it once more",
                               path);
    const hid_t root = H5Gopen2((hid_t)file->handle, "/", H5P_DEFAULT);
    if (root < 0) return refuse(file, "/", "cannot be opened: the file is damaged");
    const s2clr_status status = walk_group(&w, root);
    H5Gclose(root);
    if (status != S2CLR_OK || file->arrays) return status;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: holds no weights of Keras: wanted are arrays such as "
                           "\"conv1_conv/kernel:0\", or groups \"vars\" that tell the layer's name",
                           path);
}

/* The library prints its own stack of errors unless told not to; only here, because other users of
 * it in this process may want theirs. */
s2clr_status s2clr_keras_open(const char *path, s2clr_keras_file **out)
{
    s2clr_keras_file *file;
    H5E_auto2_t printer = NULL;
    void *data = NULL;
    S2CLR_TRY(s2clr_alloc(1, sizeof *file, path, (void **)&file));
    file->handle = -1;
    H5Eget_auto2(H5E_DEFAULT, &printer, &data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const s2clr_status status = open_file(path, file);
    H5Eset_auto2(H5E_DEFAULT, printer, data);
    if (status != S2CLR_OK) {
        s2clr_keras_close(file);
        return status;
    }
    *out = file;
    return S2CLR_OK;
}

void s2clr_keras_close(s2clr_keras_file *file)
{
    if (!file) return;
    if (file->handle >= 0) H5Fclose((hid_t)file->handle);
    s2clr_free(file->array);
    s2clr_free(file->path);
    s2clr_free(file);
}

s2clr_status s2clr_keras_read(const s2clr_keras_file *file, const s2clr_keras_array *array,
                              float *out)
{
    H5E_auto2_t printer = NULL;
    void *data = NULL;
    H5Eget_auto2(H5E_DEFAULT, &printer, &data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t dataset = H5Dopen2((hid_t)file->handle, array->path, H5P_DEFAULT);
    const bool read =
        dataset >= 0 && H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
    if (dataset >= 0) H5Dclose(dataset);
    H5Eset_auto2(H5E_DEFAULT, printer, data);
    if (read) return S2CLR_OK;
    return refuse(file, array->path, "cannot be read: the file is damaged or cut off");
}

#else /* without libhdf5 */

s2clr_status s2clr_keras_open(const char *path, s2clr_keras_file **out)
{
    (void)out;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: HDF5 cannot be read, this program was built without libhdf5: "
                           "install it (Debian: apt-get install libhdf5-dev) and build again, or "
                           "save the weights as safetensors",
                           path);
}

void s2clr_keras_close(s2clr_keras_file *file)
{
    (void)file;
}

s2clr_status s2clr_keras_read(const s2clr_keras_file *file, const s2clr_keras_array *array,
                              float *out)
{
    (void)out;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "%s: '%s': built without libhdf5", file->path,
                           array->path);
}

#endif
