/* The C side as the C++ files see it. */
#ifndef S2CLR_GDAL_PLUGIN_LOGIC_H
#define S2CLR_GDAL_PLUGIN_LOGIC_H

extern "C" {
#include "pointwise/student.h"
#include "predict/connection.h"
#include "predict/provenance.h"
#include "predict/result_cache.h"
#include "predict/runtime.h"
#include "predict/view.h"
#include "predict/view_pool.h"
}

#endif
