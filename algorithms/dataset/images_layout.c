#include "dataset/pimages.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { CLASSES_MAX = 1000 };

static int depth_of(const char *path)
{
    int depth = 1;
    for (const char *p = path; *p; p++) depth += *p == '/';
    return depth;
}

/* Start of the last `parts` parts of a path that has at least as many. */
static const char *tail(const char *path, int parts)
{
    const char *p = path + strlen(path);
    while (p > path) {
        if (p[-1] == '/' && --parts == 0) break;
        p--;
    }
    return p;
}

/* Every image must be [COMMON/...]CLASS/NAME: one depth, one beginning. */
static s2clr_status check_place(const char *path, const char *image, const char *first)
{
    const int depth = depth_of(image), expected = depth_of(first);
    if (depth < 2)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: image %s lies outside a class folder; wanted: CLASS/NAME, one "
                               "folder for each class",
                               path, image);
    const size_t common = (size_t)(tail(first, 2) - first);
    if (depth != expected || strncmp(image, first, common) != 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: images %s and %s do not lie in sister folders; wanted: "
                               "CLASS/NAME, one folder for each class",
                               path, first, image);
    return S2CLR_OK;
}

static bool same_class(const char *a, const char *b)
{
    const size_t n = strcspn(a, "/");
    return n == strcspn(b, "/") && memcmp(a, b, n) == 0;
}

static s2clr_status collect(const s2clr_image_list *list, const char *path, s2clr_image_layout *out)
{
    const char *first = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const s2clr_image_entry *entry = &list->entries[i];
        if (entry->folder) continue;
        if (!first) first = entry->path;
        S2CLR_TRY(check_place(path, entry->path, first));
        const char *name = tail(entry->path, 2);
        const char *before = out->count ? out->names[out->count - 1] : NULL;
        if (before && strcmp(before, name) == 0)
            return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %s occurs twice", path, entry->path);
        if (!before || !same_class(before, name)) out->class_count++;
        if (out->class_count > CLASSES_MAX)
            return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: more than %d class folders", path,
                                   CLASSES_MAX);
        out->groups[out->count] = out->class_count - 1;
        out->entries[out->count] = entry;
        out->names[out->count++] = name;
    }
    return S2CLR_OK;
}

/* "a/b" sorts after "a-c/d" but "a" before "a-c": so classes come in groups, yet their order by
 * name needs a sort of its own. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int find_class(const s2clr_image_layout *layout, const char *name, size_t length)
{
    for (int i = 0; i < layout->class_count; i++)
        if (strncmp(layout->classes[i], name, length) == 0 && !layout->classes[i][length]) return i;
    return -1;
}

static s2clr_status name_classes(s2clr_image_layout *out)
{
    int known = 0;
    S2CLR_TRY(s2clr_alloc((size_t)out->class_count, sizeof *out->classes, "class names",
                          (void **)&out->classes));
    for (size_t i = 0; i < out->count; i++) {
        if (out->groups[i] < known) continue;
        S2CLR_TRY(s2clr_strdup(out->names[i], &out->classes[known]));
        *strchr(out->classes[known++], '/') = '\0';
    }
    qsort(out->classes, (size_t)out->class_count, sizeof *out->classes, by_text);
    for (size_t i = 0; i < out->count; i++)
        out->groups[i] = i && same_class(out->names[i], out->names[i - 1])
                             ? out->groups[i - 1]
                             : find_class(out, out->names[i], strcspn(out->names[i], "/"));
    return S2CLR_OK;
}

static s2clr_status check_empty(const s2clr_image_list *list, const char *path,
                                const s2clr_image_layout *layout)
{
    const char *first = layout->entries[0]->path;
    const int depth = depth_of(first) - 1;
    for (size_t i = 0; i < list->count; i++) {
        const s2clr_image_entry *entry = &list->entries[i];
        if (!entry->folder || depth_of(entry->path) != depth) continue;
        const char *name = tail(entry->path, 1);
        if (find_class(layout, name, strlen(name)) < 0)
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: class folder %s holds no image (jpg, png, tif); remove it "
                                   "or fill it",
                                   path, entry->path);
    }
    return S2CLR_OK;
}

static s2clr_status label(s2clr_image_layout *layout, const char *path, const char *positive)
{
    for (const char *p = positive; p && *p;) {
        const size_t length = strcspn(p, ",");
        const int class_index = find_class(layout, p, length);
        if (class_index < 0) {
            char known[512] = "";
            for (int i = 0; i < layout->class_count; i++) {
                const size_t used = strlen(known);
                snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                         layout->classes[i]);
            }
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: no class \"%.*s\"; there are: %s", path,
                                   (int)(length < 200 ? length : 200), p, known);
        }
        for (size_t i = 0; i < layout->count; i++)
            if (layout->groups[i] == class_index) layout->labels[i] = 1;
        p += length + (p[length] == ',');
    }
    return S2CLR_OK;
}

static s2clr_status find_classes(const s2clr_image_list *list, const char *path,
                                 s2clr_image_layout *out)
{
    const size_t room = list->count;
    S2CLR_TRY(s2clr_alloc(room, sizeof *out->entries, "images", (void **)&out->entries));
    S2CLR_TRY(s2clr_alloc(room, sizeof *out->names, "image names", (void **)&out->names));
    S2CLR_TRY(s2clr_alloc(room, sizeof *out->labels, "labels", (void **)&out->labels));
    S2CLR_TRY(s2clr_alloc(room, sizeof *out->groups, "classes", (void **)&out->groups));
    S2CLR_TRY(collect(list, path, out));
    if (out->count == 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: no image found; wanted: CLASS/NAME.jpg, .png or .tif, one "
                               "folder for each class",
                               path);
    return name_classes(out);
}

static s2clr_status build(const s2clr_image_list *list, const char *path, const char *positive,
                          s2clr_image_layout *out)
{
    S2CLR_TRY(find_classes(list, path, out));
    S2CLR_TRY(check_empty(list, path, out));
    return label(out, path, positive);
}

s2clr_status s2clr_image_layout_new(const s2clr_image_list *list, const char *path,
                                    const char *positive, s2clr_image_layout *out)
{
    s2clr_image_layout layout = {0};
    const s2clr_status status = build(list, path, positive, &layout);
    if (status == S2CLR_OK)
        *out = layout;
    else
        s2clr_image_layout_free(&layout);
    return status;
}

bool s2clr_image_layout_recognise(const s2clr_image_list *list, const char *path)
{
    s2clr_image_layout layout = {0};
    const bool found = find_classes(list, path, &layout) == S2CLR_OK && layout.class_count > 1;
    s2clr_image_layout_free(&layout);
    return found;
}

void s2clr_image_layout_free(s2clr_image_layout *layout)
{
    for (int i = 0; layout->classes && i < layout->class_count; i++) s2clr_free(layout->classes[i]);
    s2clr_free(layout->classes);
    s2clr_free((void *)layout->entries);
    s2clr_free((void *)layout->names);
    s2clr_free(layout->labels);
    s2clr_free(layout->groups);
    *layout = (s2clr_image_layout){0};
}
