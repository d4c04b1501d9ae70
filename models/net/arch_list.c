/* The table of architectures: one line each, one file per family. */
#include "net/pnet.h"

static const s2clr_arch_entry entries[] = {
    {"resnet18", "ResNet-18, padded, torchvision's layout; any width", 64, 0, s2clr_arch_resnet18},
    {"resnet50", "ResNet-50 v1.5, padded, torchvision's layout", 64, 0, s2clr_arch_resnet50},
    {"resnet152", "ResNet-152 v1.5, padded, torchvision's layout", 64, 0, s2clr_arch_resnet152},
    {"resnet50-keras", "ResNet-50 as in keras.applications", 64, 0, s2clr_arch_resnet50_keras},
    {"resnet152-keras", "ResNet-152 as in keras.applications", 64, 0, s2clr_arch_resnet152_keras},
    {"resnetv2-101", "ResNet-101 with pre-activation, timm's layout", 64, 0,
     s2clr_arch_resnetv2_101},
    {"resnet101v2", "ResNet-101 with pre-activation as in keras.applications", 64, 0,
     s2clr_arch_resnet101v2},
    {"xception", "Xception, timm's layout", 32, 0, s2clr_arch_xception},
    {"xception-keras", "Xception as in keras.applications", 32, 0, s2clr_arch_xception_keras},
    {"inceptionv3", "InceptionV3, torchvision's layout; patches of 75 pixels or more", 32, 0,
     s2clr_arch_inceptionv3},
    {"inceptionv3-keras", "InceptionV3 as in keras.applications", 32, 0,
     s2clr_arch_inceptionv3_keras},
    {"dense", "valid convolutions only: a patch classifier that slides over a scene exactly", 48, 4,
     s2clr_arch_dense},
    {"pixel", "1x1 convolutions only: every pixel for itself, a patch is their mean", 64, 3,
     s2clr_arch_pixel},
};

size_t s2clr_arch_list(const s2clr_arch_entry **out)
{
    *out = entries;
    return sizeof entries / sizeof entries[0];
}
