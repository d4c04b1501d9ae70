/*
 * One step of an optimiser as numbers: what an update computes, without knowing of networks or of
 * the optimisers' names. train/optimiser.h makes them; the host and every device apply them.
 */
#ifndef S2CLR_BACKEND_UPDATE_H
#define S2CLR_BACKEND_UPDATE_H

#include <stdbool.h>
#include <stddef.h>

/* For each element, with weight w, gradient g and moments m, v:
 *     ADAM      w *= shrink;  g += decay w;  m = beta1 m + rest1 g;  v = beta2 v + rest2 g g;
 *               w -= size m / (sqrt(v) / root + epsilon)
 *     MOMENTUM  m = beta1 m + inside (g + decay w);  w -= outside m */
typedef enum s2clr_update_rule { S2CLR_UPDATE_ADAM, S2CLR_UPDATE_MOMENTUM } s2clr_update_rule;

/* Numbers of elements [begin, end): one parameter. Rounded to float32 once. */
typedef struct s2clr_update_range {
    size_t begin, end;
    double rate;  /* adapted: `inside` before it is adapted */
    bool adapted; /* inside = rate * trust * |w| / |g + weight_decay w|, lengths of the parameter in
                   * double; where either is 0, the rate */
    float beta1, rest1, beta2, rest2, size, root, epsilon, decay, shrink; /* ADAM */
    float inside, outside; /* MOMENTUM, which reads beta1 and decay too */
} s2clr_update_range;

typedef struct s2clr_update {
    s2clr_update_rule rule;
    size_t count;                    /* elements of gradient and params */
    const s2clr_update_range *range; // (ranges) rising, not overlapping; the rest is left alone
    size_t ranges;
    double trust, weight_decay; /* of what is adapted */
    const float *gradient;      // (count)
    float *moments;             // (2, count) m, v; MOMENTUM (1, count)
    float *params;              // (count)
} s2clr_update;

/* Elements [begin, end) of arrays in the machine's memory, with the numbers of `range`. */
void s2clr_update_elements(const s2clr_update *update, const s2clr_update_range *range,
                           size_t begin, size_t end);

/* trust * weight / gradient, lengths both; 1 where either is 0: it has no direction to adapt to. */
double s2clr_update_adapt(double trust, double weight, double gradient);

#endif
