#include "commands/plan_text.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"

void s2clr_duration_text(double seconds, char *out, size_t size)
{
    if (seconds < 90)
        snprintf(out, size, "%.2g s", seconds);
    else if (seconds < 90 * 60)
        snprintf(out, size, "%.0f min", seconds / 60);
    else
        snprintf(out, size, "%.1f h", seconds / 3600);
}

void s2clr_widths_text(const int *width, int count, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%d", i ? "-" : "", width[i]);
    }
}

void s2clr_parent_print(FILE *to, const s2clr_model *parent, const s2clr_adoption *adoption)
{
    fprintf(to, "goes on     from %s: %zu of its tensors taken%s; new: %s\n",
            s2clr_model_path(parent), adoption->taken,
            adoption->bands_gathered ? ", its bands reordered" : "",
            adoption->fresh ? adoption->fresh_names : "none");
}

void s2clr_bytes_text(size_t bytes, char *out, size_t size)
{
    const double gib = ldexp((double)bytes, -30);
    if (gib < 0.1)
        snprintf(out, size, "%.1f MiB", gib * 1024);
    else
        snprintf(out, size, "%.1f GiB", gib);
}

void s2clr_cost_device(FILE *to, const s2clr_machine *on, size_t bytes, const char *note)
{
    char memory[32], room[32];
    size_t available, total;
    if (bytes == 0) return;
    s2clr_bytes_text(bytes, memory, sizeof memory);
    const bool known = s2clr_machine_room(on, &available, &total);
    s2clr_bytes_text(known ? available : 0, room, sizeof room);
    fprintf(to, "on device   %s%s%s%s%s\n", memory, known ? " of " : "", known ? room : "",
            known ? " free" : "", on->device_count > 1 ? ", on each" : "");
    if (note[0]) fprintf(to, "mind        %s\n", note);
}

void s2clr_cost_print(FILE *to, size_t bytes, double step, double all, const char *without,
                      const char *smaller)
{
    const size_t available = s2clr_memory_available();
    char one[32], total[32], memory[32], room[32];
    s2clr_bytes_text(bytes, memory, sizeof memory);
    s2clr_bytes_text(available, room, sizeof room);
    fprintf(to, "memory      %s%s%s%s\n", memory, available ? " of " : "", available ? room : "",
            available ? " free" : "");
    s2clr_duration_text(step, one, sizeof one);
    s2clr_duration_text(all, total, sizeof total);
    if (step > 0)
        fprintf(to, "time        %s for a step on this machine, about %s for all%s\n", one, total,
                without);
    else
        fprintf(to,
                "time        not measured: there is not enough memory; a smaller %s needs less\n",
                smaller);
}
