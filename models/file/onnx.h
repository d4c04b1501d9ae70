/*
 * A model as ONNX (https://onnx.ai/onnx/repo-docs/IR.html), operator set 17, IR version 8: what
 * ONNX Runtime, OpenVINO and others run.
 *
 *     S2CLR_TRY(s2clr_onnx_write("model.onnx", model, NULL));
 *
 * The graph has the network's nodes one by one: batch norms stay batch norms, weights are
 * initializers under their names in the model file, the batch is free and the patch has the card's
 * size. Its input is "input" (N, C, P, P), standardised pixels; its output "logits" (N, K), or of
 * an encoder "features" (N, F) and, if there is a head, "projection" (N, D). The card is metadata
 * "s2clr.card".
 *
 * With a level the input is "dn" (N, C, P, P), DN of that level plus the product's offset, and an
 * output "probability" (N, K) comes first, as the card calibrates it: sigmoid of
 * logits / temperature + bias or softmax of logits / temperature. With knots that is
 * S2CLR_ERR_UNSUPPORTED.
 */
#ifndef S2CLR_FILE_ONNX_H
#define S2CLR_FILE_ONNX_H

#include "file/model.h"

/* level: of the card, or NULL for standardised input. */
s2clr_status s2clr_onnx_write(const char *path, const s2clr_model *model,
                              const s2clr_card_level *level);

#endif
