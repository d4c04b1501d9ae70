/* make_model OUT.safetensors [resnet18|classes]: writes the small made-up model of predict_rig.h
 * (bands B02, B03, B04), for the shell tests of the driver; classes: one that tells three apart. */
#include <stdio.h>
#include <string.h>

#include "file/model.h"
#include "harness.h"
#include "predict_rig.h"

static const char *target, *kind = "dense";

static void make(void)
{
    rig_model wanted = strcmp(kind, "resnet18") == 0 ? rig_resnet : rig_dense;
    s2clr_model *model = NULL;
    if (strcmp(kind, "classes") == 0) wanted.classes = 3;
    TEST_OK(s2clr_model_open(rig_model_make("made.safetensors", &wanted), &model));
    if (!model) return;
    TEST_OK(s2clr_model_save(target, s2clr_model_card(model), s2clr_model_net(model),
                             s2clr_model_params(model)));
    s2clr_model_close(model);
}

static const test_case cases[] = {{"make", make}};

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: make_model OUT.safetensors [dense|resnet18|classes]\n");
        return 2;
    }
    target = argv[1];
    if (argc == 3) kind = argv[2];
    return TEST_MAIN("make_model", cases, 1, argv);
}
